"""``engine.jobs.joining``: one directory of many recordings, as one run writes it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.archive.reader import read_run, read_streams
from engine.client import load_run
from engine.config import Config, OutputConfig, SourceConfig
from engine.contracts.recording import Recording
from engine.errors import ConfigError, OutputError, PublishError
from engine.exhibit.verify import verify
from engine.jobs.joining import Part, join
from engine.jobs.pieces import read_piece, write_piece
from engine.jobs.plan import plan_recording
from engine.jobs.warm import Warm
from engine.source.sources import expand_sources
from tests.e2e.conftest import facestream
from tests.jobs.clips import film
from tests.jobs.driving import Processed, joined, process
from tests.jobs.same import same_results


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    film(folder / "door.mp4", 150, [(10, 40, 0), (95, 130, 1)])
    film(folder / "hall.mkv", 60, [(0, 60, 2)])
    (folder / "bad.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture(scope="module")
def warm(archive: Path) -> Iterator[Warm]:
    config = Config(sources=[SourceConfig(uri=str(archive))], output=OutputConfig(report=False))
    with Warm(config, lambda warned: pytest.fail(warned.detail)) as models:
        yield models


@pytest.fixture(scope="module")
def processed(archive: Path, warm: Warm, tmp_path_factory: pytest.TempPathFactory) -> list[Processed]:
    recordings = expand_sources(warm.config.sources, warm.config.live)
    folder = tmp_path_factory.mktemp("pieces")
    return [process(one, folder, warm, 2.0) for one in recordings if isinstance(one, Recording)]


@pytest.fixture
def parts(processed: list[Processed]) -> list[Part]:
    return [one.part for one in processed]


def test_an_archive_in_segments_is_as_one_run_writes_it(tmp_path: Path, archive: Path, warm: Warm, processed):
    assert facestream("run", "--source", archive, "--out", tmp_path / "run").returncode == 1, "one file is bad"
    told = joined(tmp_path / "joined", warm, processed)
    assert same_results(tmp_path / "run", tmp_path / "joined") == ""
    assert (told.recordings, told.failed, told.frames) == (3, 1, 210)
    assert told.twice > 0
    assert len(list(load_run(tmp_path / "joined").tracks())) == told.tracks >= 2


def test_what_reads_runs_reads_it(tmp_path: Path, warm: Warm, parts: list[Part]):
    config = replace(warm.config, output=replace(warm.config.output, report=True))
    join(tmp_path / "joined", config, parts)
    page = (tmp_path / "joined" / "report.html").read_text()
    assert f"facestream clip {tmp_path}/joined --track" in page
    assert ".joining-" not in page
    assert facestream("audit", tmp_path / "joined").returncode == 0
    assert facestream("export", tmp_path / "joined", "--to", "csv", "--out", tmp_path / "tracks.csv").returncode == 0
    again = facestream("reproduce", tmp_path / "joined", "--track", "1")
    assert again.returncode == 0, again.stdout + again.stderr


def test_it_is_joined_once(tmp_path: Path, warm: Warm, parts: list[Part]):
    first = join(tmp_path / "joined", warm.config, parts)
    before = (tmp_path / "joined" / "run.json").read_bytes()
    assert join(tmp_path / "joined", warm.config, parts, lambda recordings: pytest.fail("again")) == first
    assert (tmp_path / "joined" / "run.json").read_bytes() == before


def test_what_a_kill_has_left_beside_goes(tmp_path: Path, warm: Warm, parts: list[Part]):
    def die(recordings: int) -> None:
        if recordings == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join(tmp_path / "joined", warm.config, parts, die)
    assert not (tmp_path / "joined").exists()
    join(tmp_path / "joined", warm.config, parts)
    join(tmp_path / "other", warm.config, parts)
    assert same_results(tmp_path / "joined", tmp_path / "other") == ""
    assert {path.name for path in tmp_path.iterdir()} == {"joined", "other"}


def test_another_run_is_not_overwritten(tmp_path: Path, warm: Warm, parts: list[Part]):
    join(tmp_path / "joined", warm.config, parts[1:])
    with pytest.raises(ConfigError, match="already holds a run"):
        join(tmp_path / "joined", warm.config, parts)
    over = replace(warm.config, output=replace(warm.config.output, overwrite=True))
    assert join(tmp_path / "joined", over, parts).recordings == 3


def test_a_recording_that_was_set_aside_has_failed(tmp_path: Path, warm: Warm, parts: list[Part]):
    aside = Part(parts[1].plan, failed="it has killed two workers")
    told = join(tmp_path / "joined", warm.config, [parts[0], aside, parts[2]])
    last = read_streams(tmp_path / "joined")[aside.plan.stream][-1]
    assert (last.state, last.reason, last.detail) == ("failed", "worker_died", "it has killed two workers")
    assert told.failed == sum(one.plan.stream == "bad" for one in (parts[0], parts[2])) + 1
    assert set(read_run(tmp_path / "joined")["inputs"]) == {part.plan.stream for part in parts}


def test_a_recording_that_is_not_finished_is_said(tmp_path: Path, warm: Warm, archive: Path, parts: list[Part]):
    plan = plan_recording(Recording("door", archive / "door.mp4"), warm.config, 2.0)
    with pytest.raises(PublishError, match="is not finished"):
        join(tmp_path / "joined", warm.config, [Part(plan)])


def test_pictures_that_are_gone_are_said(tmp_path: Path, warm: Warm, archive: Path):
    one = process(Recording("hall", archive / "hall.mkv"), tmp_path / "pieces", warm, 9.0)
    next((tmp_path / "pieces").rglob("*_original.jpg")).unlink()
    with pytest.raises(PublishError, match="cannot write"):
        joined(tmp_path / "joined", warm, [one])


@pytest.mark.parametrize("way", ["an absolute path", "a path upwards", "a link", "a vector"])
def test_a_segment_of_another_machine_is_given_no_file_of_this_one(tmp_path: Path, warm: Warm, archive: Path, way: str):
    """The file came into the result as a picture, and so to all who may read that."""
    one = process(Recording("hall", archive / "hall.mkv"), tmp_path / "pieces", warm, 9.0)
    secret = tmp_path / "secret"
    secret.write_bytes(b"for this machine alone" * 100)
    lines = next((tmp_path / "pieces").rglob("faces.jsonl"))
    picture = next(lines.parent.rglob("*_original.jpg")).relative_to(lines.parent)
    upwards = f"{'../' * (len(lines.parent.parts) - 1)}{secret.relative_to('/')}"
    text = lines.read_text()
    if way == "a link":
        (lines.parent / picture).unlink()
        (lines.parent / picture).symlink_to(secret)
    elif way == "a vector":
        lines.write_text(re.sub(r'"embedding":{"file":"[^"]+"', f'"embedding":{{"file":"{upwards}"', text))
        assert lines.read_text() != text
    else:
        lines.write_text(text.replace(str(picture), str(secret) if way == "an absolute path" else upwards))
        assert lines.read_text() != text
    with pytest.raises(PublishError, match="which is not in there: remove it"):
        joined(tmp_path / "joined", warm, [one])
    assert secret.stat().st_nlink == 1


@pytest.mark.parametrize("row", [-1, 10**6, 2**62])
def test_a_vector_that_lies_where_none_can_is_missing(tmp_path: Path, warm: Warm, archive: Path, row: int):
    """It ended in an error from within, or as a directory that cannot be written."""
    one = process(Recording("hall", archive / "hall.mkv"), tmp_path / "pieces", warm, 9.0)
    lines = next((tmp_path / "pieces").rglob("faces.jsonl"))
    lines.write_text(re.sub(r'"row":\d+', f'"row":{row}', lines.read_text()))
    with pytest.raises(PublishError, match="a vector is missing in"):
        joined(tmp_path / "joined", warm, [one])


def test_other_models_are_told_of_the_directory_that_was_asked_for(tmp_path: Path, warm: Warm, archive: Path):
    one = process(Recording("door", archive / "door.mp4"), tmp_path / "pieces", warm, 2.0)
    last = one.part.directories[-1]
    piece = read_piece(last)
    assert piece is not None
    write_piece(last, replace(piece, facts={"perceive": {**piece.facts["perceive"], "detector_sha256": "0" * 64}}))
    with pytest.raises(ConfigError, match="was begun with another detector model") as refused:
        joined(tmp_path / "joined", warm, [one])
    assert str(refused.value).startswith(f"{tmp_path / 'joined'} was begun")


def test_a_full_disk_is_told_of_the_directory_that_was_asked_for(
    tmp_path: Path, warm: Warm, parts: list[Part], monkeypatch: pytest.MonkeyPatch
):
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.archive.writer.write_new", full)
    with pytest.raises(OutputError) as told:
        join(tmp_path / "joined", warm.config, parts)
    assert str(told.value) == f"cannot write the output directory {tmp_path / 'joined'}: No space left on device"


def test_the_chain_of_hashes_holds(tmp_path: Path, warm: Warm, parts: list[Part]):
    join(tmp_path / "joined", warm.config, parts)
    assert not verify(tmp_path / "joined").faults
