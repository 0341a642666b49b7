"""``facestream ctl`` at a service without a run."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from engine.cli.app import main
from engine.cli.service.ctl_tables import tell
from engine.cli.service.ctl_ways import Where, point_out_namesakes
from engine.control import answers, verbs
from engine.control.answers import Status
from engine.service.people import PeopleVerbs
from engine.service.refusal import Refusal
from engine.service.router import Router
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.privacy.output import enrol
from tests.service.parts import Says, service_in
from tests.verify.gallery.test_pictures import set_apart

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
        (["streams", "add", "rtsp://192.0.2.10/x", "--set", "rotate"], 2, "'rotate' must be NAME=VALUE"),
        (["streams", "change", "door"], 2, "nothing to change: give at least one --set KEY=VALUE\n"),
        (["settings", "set"], 2, "nothing to change: give at least one SECTION.KEY=VALUE\n"),
        (["status", "--endpoint", "tcp:/x"], 2, "use tcp://ADDRESS:PORT or ipc://PATH"),
        (["settings", "set", "serve.http=x"], 1, "cannot be changed while the service runs"),
        (["settings", "set", "crop.top_k=0"], 2, "crop.top_k"),
        (["people", "enrol", "ada"], 2, "IMAGES is missing"),
        (["people", "release", "3f"], 2, "--name"),
        (["people", "release", "3f", "--name", "ada"], 1, "nobody is enrolled yet"),
        (["status", "--wait", "nan"], 2, "--wait nan must be more than 0 seconds"),
        (["status", "--wait", "-1"], 2, "--wait -1 must be more than 0 seconds"),
        (["streams", "add", "hello"], 1, "this is not the address of a camera, as rtsp://192.0.2.10/1"),
        (["people", "enrol", "ada", "/nowhere.jpg"], 2, "cannot read /nowhere.jpg"),
        (["probe", "rtsp://192.0.2.10/x", "--seconds", "nan"], 2, "--seconds nan must be from 1 to 20"),
        (["probe", "rtsp://192.0.2.10/x", "--seconds", "1e9"], 2, "must be from 1 to 20"),
        (["people", "wrong", "Ada", "run", "door", str(2**70)], 2, "more than 64 bits"),
        (["people", "enrol", "ada", "/dev/zero"], 2, "/dev/zero is not a file"),
        (["people", "search", "/dev/zero"], 2, "/dev/zero is not a file"),
        (["people", "enrol", "ada", "a\0b"], 2, "embedded null byte"),
        (["settings", "set", "live.detect_fps=2024-13-45"], 2, "the value of live.detect_fps cannot be read"),
        (["settings", "set", "live.detect_fps=" + "[" * 600], 2, "the value of live.detect_fps cannot be read"),
        (["people", "remove", "ada"], 1, "nobody is enrolled yet"),
        (["status", "--key", "x.key"], 2, "x.key"),
        (["status", "--endpoint", "tcp://192.0.2.5:1"], 2, "give --key FILE"),
        (["status", "--endpoint", "door"], 2, "is not an endpoint"),
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


def test_each_picture_is_a_request_and_those_before_a_problem_are_shown(
    tmp_path: Path, directory: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def enrol(self: PeopleVerbs, verb: verbs.EnrolPerson, request: object) -> answers.Enrolled:
        asked.append([picture.name for picture in verb.pictures])
        if verb.pictures[0].name == "3.jpg":
            raise Refusal("too_large", "3.jpg is too large")
        verdict = answers.PictureVerdict(name=verb.pictures[0].name, outcome="enrolled")
        return answers.Enrolled(name=verb.name, pictures=[verdict])

    monkeypatch.setattr(PeopleVerbs, "enrol", enrol)
    paths = [tmp_path / f"{number}.jpg" for number in range(1, 5)]
    for path in paths:
        path.write_bytes(b"x" * 5_000_000)  # all together are more than a request may have
    code, out, said = ctl(capsys, directory, "people", "enrol", "Ada", *map(str, paths[:2]), "--json")
    assert (code, said) == (0, "")
    assert [one["name"] for one in json.loads(out)["pictures"]] == ["1.jpg", "2.jpg"]
    code, out, said = ctl(capsys, directory, "people", "enrol", "Ada", *map(str, paths), "--json")
    assert (code, "3.jpg is too large" in said) == (1, True)
    assert [one["name"] for one in json.loads(out)["pictures"]] == ["1.jpg", "2.jpg"]
    assert asked == [["1.jpg"], ["2.jpg"], ["1.jpg"], ["2.jpg"], ["3.jpg"]]


def test_a_picture_that_is_larger_than_any_request_is_told_at_once(
    tmp_path: Path, directory: str, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(bytes(17 * 1024 * 1024 + 512 * 1024))
    for words in (["people", "enrol", "Ada", str(large)], ["people", "search", str(large)]):
        code, out, said = ctl(capsys, directory, *words)
        assert (code, out) == (1, "")
        assert "and the service takes 17,039,360: use smaller pictures" in said


def test_who_is_joined_and_who_is_called_nearly_the_same_is_said(
    directory: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    enrol(tmp_path / "gallery.sqlite", "Ada", "Person b", "person c")
    code, out, said = ctl(capsys, directory, "people", "rename", "Ada", "Person b")
    assert (code, out) == (1, "")
    assert "Person b is in the gallery already, with 1 picture: if Ada is the same person, join them on purpose with" in said
    said = ctl(capsys, directory, "people", "rename", "Ada", "Person b", "--join")[1]
    assert said == "1 picture renamed; joined with Person b, who had 1 picture\n"
    said = ctl(capsys, directory, "people", "rename", "Person b", "Person c")[1]
    assert "2 pictures renamed; person c is in the gallery, too" in said
    point_out_namesakes(Where(directory=Path(directory)), "Person C")
    said = capsys.readouterr().out
    joins = "is in the gallery, too: if both are one, `facestream ctl people rename --join` joins them\n"
    assert said == f"Person c {joins}person c {joins}"
    point_out_namesakes(Where(directory=Path(directory), json=True), "Person C")
    assert capsys.readouterr().out == ""


def test_pictures_that_were_set_apart_are_shown_enrolled_and_forgotten(
    directory: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert ctl(capsys, directory, "people", "quarantine")[1] == "0 pictures set apart\n"
    with Gallery(tmp_path / "gallery.sqlite") as gallery:
        digests = [set_apart(gallery, "Ada", number, "looks like Bob (cosine 0.94)") for number in (11, 22)]
    code, out, _ = ctl(capsys, directory, "people", "quarantine")
    assert (code, "looks like Bob (cosine 0.94)" in " ".join(out.split()), "2 pictures set apart" in out) == (0, True, True)
    listed = json.loads(ctl(capsys, directory, "people", "quarantine", "--json")[1])["pictures"]
    assert [(one["name"], one["picture"], one.get("portrait", "")) for one in listed] == [("Ada", one, "") for one in digests]
    assert ctl(capsys, directory, "people", "release", digests[0][:8], "--name", "Ada")[1] == "00000011 is enrolled for Ada\n"
    code, _, said = ctl(capsys, directory, "people", "release", "ff", "--name", "Ada")
    assert (code, "begins with 'ff': see `facestream ctl people quarantine`" in said) == (1, True)
    assert ctl(capsys, directory, "people", "drop", digests[1][:8], "--name", "Ada")[1] == "00000022 of Ada is forgotten\n"


def test_names_do_not_steer_the_terminal(directory: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    enrol(tmp_path / "gallery.sqlite", "a\x1b[31mb")
    said = ctl(capsys, directory, "people", "list")[1]
    assert "a [31mb" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("level", "said"),
    [(0, ""), (2, "overloaded, level 2 of 7: enhancing fewer faces, of all streams"), (7, "detecting less often")],
)
def test_the_status_says_when_the_machine_is_too_slow(capsys: pytest.CaptureFixture[str], level: int, said: str) -> None:
    tell(Console(width=120), Status(version="1", state="running", ready=True, overload_level=level))
    shown = capsys.readouterr().out
    assert said in shown
    assert ("overloaded" in shown) is bool(level)
