"""What is refused before a process is started."""

from __future__ import annotations

import errno
from contextlib import closing
from pathlib import Path
from tempfile import gettempdir

import pytest
import zmq
from msgspec.structs import replace

from engine.config import Config, OutputConfig, PublishConfig, SourceConfig
from engine.errors import FacestreamError, PublishError
from engine.lock import DirectoryLock
from engine.pipeline import preflight, run
from engine.pipeline.preflight import check_before
from engine.verify.gallery.sqlite.gallery import Gallery


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.touch()
    (tmp_path / "file").touch()
    held = tmp_path / "held"
    held.mkdir()
    (held / "run.json").touch()
    return path


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "nowhere to put the result"),
        ({"output": {"directory": "held"}}, "held already holds a run"),
        ({"output": {"directory": "file"}}, "file is not a directory"),
        ({"output": {"directory": "file/below"}}, "file is not a directory"),
        (
            {"output": {"directory": "/"}},
            "--out / is the root of all files: give a directory of the run's own",
        ),
        ({"output": {"directory": "/../tmp/.."}}, "is the root of all files"),
        ({"output": {"directory": gettempdir()}}, "is for all programs"),
        ({"output": {"resume": True}}, "--resume needs the --out directory"),
        ({"output": {"directory": "new", "sign": "nope.pem"}}, "cannot read the key nope.pem"),
        (
            {"output": {"sign": "nope.pem"}, "publish": {"endpoint": "ipc://here"}},
            "--sign vouches for what is written to --out",
        ),
        (
            {"output": {"directory": "new"}, "verify": {"gallery": "nope.sqlite"}},
            "no gallery nope.sqlite: check the path",
        ),
        ({"output": {"directory": "new"}, "detect": {"detector": "nope"}}, "unknown detector 'nope'"),
        ({"output": {"directory": "new"}, "super_resolve": {"generator": "nope"}}, "there is no generator named 'nope'"),
        ({"output": {"directory": "new"}, "verify": {"embedder": "nope"}}, "there is no embedder 'nope'"),
        ({"publish": {"endpoint": "nope"}}, "'nope' is not a ZeroMQ endpoint"),
        ({"publish": {"endpoint": "tcp://127.0.0.1:99999"}}, "is not a ZeroMQ endpoint"),
        ({"publish": {"endpoint": "tcp://0.0.0.0:5556"}}, "beyond this machine"),
        ({"output": {"directory": "new"}, "publish": {"replay": "tcp://127.0.0.1:*"}}, "publish.replay needs publish.endpoint"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_before_anything_starts(clip, tmp_path, monkeypatch, changes, says):
    """All models were loaded first, and of a recording beside a taken directory all frames were read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "_attempt", lambda *_, **__: pytest.fail("the run was begun"))
    config = replace(Config(), sources=(SourceConfig(uri=str(clip)),))
    for section, values in changes.items():
        config = replace(config, **{section: replace(getattr(config, section), **values)})
    with pytest.raises(FacestreamError, match=says) as refused:
        run.run_pipeline(config)
    assert refused.value.exit_code == 2
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "file", "held"}


def test_the_home_directory_is_not_that_of_a_run(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(FacestreamError, match="is the home directory"):
        check_before(replace(Config(), output=OutputConfig(directory=str(tmp_path))), pytest.fail, is_service=False)


def test_where_no_directory_for_temporary_files_can_be_written_a_run_begins(tmp_path, monkeypatch):
    """As in a container whose files are read-only but for the results."""

    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(preflight, "gettempdir", nowhere)
    assert said_of(tmp_path, "") == []


def said_of(tmp_path: Path, gallery: str, *, is_service: bool = False, resume: bool = False) -> list[str]:
    said: list[str] = []
    output = OutputConfig(directory=str(tmp_path / "new"), resume=resume)
    config = replace(Config(), output=output, verify=replace(Config().verify, gallery=gallery))
    check_before(config, said.append, is_service=is_service)
    return said


def test_a_gallery_that_is_misspelt_says_what_it_was_meant_for(tmp_path):
    Gallery(tmp_path / "entrance.sqlite")
    with pytest.raises(FacestreamError, match=r"did you mean \S+/entrance.sqlite\?"):
        said_of(tmp_path, str(tmp_path / "entrnce.sqlite"))


def test_a_gallery_in_which_nobody_is_is_said(tmp_path):
    Gallery(tmp_path / "empty.sqlite")
    assert "nobody is enrolled in the gallery" in said_of(tmp_path, str(tmp_path / "empty.sqlite"))[0]


def test_a_service_may_begin_without_a_gallery_and_says_so(tmp_path):
    assert "does not exist yet" in said_of(tmp_path, str(tmp_path / "none.sqlite"), is_service=True)[0]


def test_going_on_where_nothing_is_is_said(tmp_path):
    """A misspelt --out with --resume began a new run without a word."""
    assert f"there is no run in {tmp_path / 'new'} to continue" in said_of(tmp_path, "", resume=True)[0]


def test_results_for_subscribers_alone_need_no_directory():
    config = replace(Config(), publish=PublishConfig(endpoint="tcp://127.0.0.1:*"))
    check_before(config, pytest.fail, is_service=False)


@pytest.mark.parametrize("key", ["endpoint", "replay"])
@pytest.mark.parametrize("form", ["tcp://127.0.0.1:{port}", "ipc://{folder}/socket"])
def test_an_endpoint_in_use_is_refused_before_anything_starts(tmp_path, monkeypatch, form, key):
    """All models were opened first, and the first pictures read."""
    monkeypatch.setattr(run, "_attempt", lambda *_, **__: pytest.fail("the run was begun"))
    with zmq.Context() as context, context.socket(zmq.PUB) as taken:
        taken.bind("tcp://127.0.0.1:*")
        port = taken.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode().rpartition(":")[2]
        taken.bind(f"ipc://{tmp_path}/socket")
        (tmp_path / "clip.mp4").touch()
        publish = PublishConfig(**({"endpoint": "tcp://127.0.0.1:*"} | {key: form.format(port=port, folder=tmp_path)}))
        config = replace(Config(), sources=(SourceConfig(uri=str(tmp_path / "clip.mp4")),), publish=publish)
        with pytest.raises(PublishError, match="is in use, by another process"):
            run.run_pipeline(config)


def test_an_endpoint_that_was_tried_is_free_for_the_run(tmp_path):
    publish = PublishConfig(endpoint=f"ipc://{tmp_path}/socket", replay=f"ipc://{tmp_path}/replay")
    config = replace(Config(), publish=publish)
    for _ in range(2):
        check_before(config, pytest.fail, is_service=False)
    assert list(tmp_path.iterdir()) == []


def test_one_endpoint_cannot_be_both():
    with zmq.Context() as context, context.socket(zmq.PUB) as free:
        port = free.bind_to_random_port("tcp://127.0.0.1")
    publish = PublishConfig(endpoint=f"tcp://127.0.0.1:{port}", replay=f"tcp://127.0.0.1:{port}")
    with pytest.raises(PublishError, match="in use"):
        check_before(replace(Config(), publish=publish), pytest.fail, is_service=False)


@pytest.mark.parametrize("left", [(), ("run.json",)], ids=["which has written nothing yet", "which has begun"])
def test_a_directory_that_another_run_writes_to_is_refused_at_once(clip: Path, tmp_path: Path, left: tuple[str, ...]):
    out = tmp_path / "out"
    out.mkdir()
    for name in left:
        (out / name).touch()
    config = replace(Config(), sources=(SourceConfig(uri=str(clip)),), output=OutputConfig(directory=str(out)))
    with closing(DirectoryLock(out)), pytest.raises(PublishError, match=r"another run is writing to .*out now"):
        check_before(config, lambda sentence: None, is_service=False)
