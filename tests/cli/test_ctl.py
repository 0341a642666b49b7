"""``facestream ctl`` at a service without a run."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli.app import main
from engine.service.router import Router
from tests.service.parts import Says, service_in

ADDRESS = "rtsp://ada:secret@192.0.2.10/one"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[str]:
    with service_in(tmp_path) as parts:
        router = Router(parts.service, parts.directory, parts.config.serve, Says().warn)
        try:
            yield str(parts.directory.path)
        finally:
            router.close()


def ctl(capsys: pytest.CaptureFixture[str], directory: str, *words: str) -> tuple[int, str, str]:
    """Return exit code, output and errors."""
    with pytest.raises(SystemExit) as ended:
        main(["ctl", *words, "--directory", directory])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_cameras(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ctl(capsys, directory, "streams", "add", ADDRESS, "--name", "door", "--set", "rotate=90")
    assert (code, "door" in out, "secret" in out, "ada" in out) == (0, True, False, False)
    code, out, _ = ctl(capsys, directory, "streams", "list", "--json")
    (stream,) = json.loads(out)["streams"]
    assert (stream["name"], stream["source"]["uri"], stream["source"]["rotate"]) == ("door", "rtsp://192.0.2.10/one", 90)
    assert ctl(capsys, directory, "streams", "change", "door", "--set", "detect_fps=5")[0] == 0
    assert "paused" in ctl(capsys, directory, "streams", "pause", "door")[1]
    assert ctl(capsys, directory, "streams", "resume", "door")[0] == 0
    assert ctl(capsys, directory, "streams", "remove", "door")[1] == "done\n"
    assert ctl(capsys, directory, "streams", "list")[1] == "0 streams\n"


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["streams", "remove", "nobody"], 1, "there is no stream 'nobody'"),
        (["streams", "add", "rtsp://127.0.0.1/x"], 1, "serve.cameras_in"),
        (["streams", "add", "rtsp://192.0.2.10/x", "--set", "rotate=45"], 2, "rotate"),
        (["streams", "add", "rtsp://192.0.2.10/x", "--set", "rotate"], 2, "'rotate' is not NAME=VALUE"),
        (["streams", "change", "door"], 2, "nothing to change"),
        (["settings", "set", "serve.http=x"], 1, "cannot be changed while the service runs"),
        (["settings", "set", "crop.top_k=0"], 2, "crop.top_k"),
        (["people", "enrol", "ada"], 2, "no picture to enrol"),
        (["people", "enrol", "ada", "/nowhere.jpg"], 2, "cannot read /nowhere.jpg"),
        (["people", "remove", "ada"], 1, "nobody is enrolled yet"),
        (["status", "--key", "x.key"], 2, "x.key"),
        (["status", "--endpoint", "tcp://192.0.2.5:1"], 2, "give --key FILE"),
        (["status", "--endpoint", "door"], 1, "is no endpoint"),
    ],
)
def test_one_sentence_where_it_is_not_done(
    directory: str, capsys: pytest.CaptureFixture[str], words: list[str], code: int, error: str
) -> None:
    got, out, said = ctl(capsys, directory, *words)
    assert (got, out) == (code, "")
    assert said.startswith("facestream: ")
    assert error in said
    assert said.count("\n") == 1


def test_where_no_service_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left.sock"))  # as of a service that was killed
    for place in (("--directory", str(tmp_path)), ("--endpoint", f"ipc://{tmp_path}/left.sock")):
        began = time.monotonic()
        with pytest.raises(SystemExit) as ended:
            main(["ctl", "status", *place, "--wait", "300"])
        assert ended.value.code == 2
        assert "is `facestream serve` running?" in capsys.readouterr().err
        assert time.monotonic() - began < 100, "it was not waited for"


def test_status_settings_and_people(directory: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "starting for" in ctl(capsys, directory, "status")[1]
    assert "crop.top_k = 5" in ctl(capsys, directory, "settings", "show")[1]
    values = ctl(capsys, directory, "settings", "show")[1].splitlines()
    assert {"verify.known_cosine = null", "detect.second_look = true", "profile = balanced"} <= set(values)
    assert "verify.known_cosine = 0.9\n" in ctl(capsys, directory, "settings", "set", "verify.known_cosine=0.9")[1]
    assert "verify.known_cosine = null\n" in ctl(capsys, directory, "settings", "set", "verify.known_cosine=null")[1]
    assert "crop.top_k = 7" in ctl(capsys, directory, "settings", "set", "crop.top_k=7")[1]
    assert "crop.top_k = 5" in ctl(capsys, directory, "settings", "set", "crop.top_k=")[1]
    assert "0 people in" in ctl(capsys, directory, "people", "list")[1]
    assert ctl(capsys, directory, "log-level", "error")[0] == 0
    assert "stops when" in ctl(capsys, directory, "drain")[1]
    assert ctl(capsys, directory, "streams", "remove", "x")[0] == 1
