"""Answers that are remembered: for a day, without names of people; and none says done of what was not, nor the other way."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from engine.control.answers import Done, Enrolled, PictureVerdict
from engine.control.verbs import AnyVerb, EnrolPerson, Picture, RemovePerson, RemoveStream, RenamePerson
from engine.service.build import Parts
from engine.service.tasks import Tasks
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.service.parts import Says, added, ask, code, service_in, states

ENROLLED = Enrolled(
    name="Ada Lovelace",
    pictures=[
        PictureVerdict(name="Ada Lovelace 1.jpg", outcome="enrolled"),
        PictureVerdict(name="b.jpg", outcome="refused", reason="it looks like Ada Lovelace already"),
    ],
)
ENROL = EnrolPerson(
    name="Ada Lovelace", pictures=[Picture(content=b"x", name="Ada Lovelace 1.jpg"), Picture(content=b"y", name="b.jpg")]
)


@pytest.fixture
def says() -> Says:
    return Says()


@pytest.fixture
def parts(tmp_path: Path, says: Says) -> Iterator[Parts]:
    with service_in(tmp_path, says) as opened, Gallery(tmp_path / "gallery.sqlite") as gallery:
        gallery.add(
            "Ada Lovelace", np.array([1, 0], np.float32), embedder="x", embedder_sha256="a" * 64, runtime="x", source_name="x",
            picture_sha256="b" * 64, quality=0.5,
        )  # fmt: skip
        yield opened


@pytest.fixture
def enrols(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let a child enrol whoever it is asked to; return whom."""
    done: list[str] = []

    def child(tasks: Tasks, task: object, wanted: type, seconds: float) -> Enrolled:
        done.append("enrolled")
        return ENROLLED

    monkeypatch.setattr(Tasks, "run", child)
    return done


def on_disk(parts: Parts) -> bytes:
    """Return all that is kept of answers, also as it stands in base64."""
    found = b""
    for path in parts.directory.path.glob("desired*.json"):
        content = path.read_bytes()
        replies = msgspec.json.decode(content).get("answers", [])
        found += content + b"".join(base64.b64decode(one["reply"]) for one in replies)
    return found


def test_no_name_of_a_person_is_kept(parts: Parts, enrols: list[str]) -> None:
    first = ask(parts, ENROL, key="1")
    assert first.result == ENROLLED
    verbs: list[AnyVerb] = [
        RenamePerson(name="Ada Lovelace", new_name="Augusta King"), RemovePerson(name="Augusta King"),
    ]  # fmt: skip
    for number, verb in enumerate(verbs, 2):
        assert isinstance(ask(parts, verb, key=str(number)).result, Done)
        assert ask(parts, verb, key=str(number)).result == Done(), "it is not done again, where nobody is called so any more"
    ask(parts, added("door"), key="9")
    kept = on_disk(parts)
    assert b"door" in kept
    assert not any(name in kept for name in (b"Ada", b"Augusta", b"Lovelace", b"King"))


def test_who_asks_again_has_the_names(parts: Parts, enrols: list[str]) -> None:
    ask(parts, ENROL, key="1")
    again = ask(parts, ENROL, key="1").result
    assert isinstance(again, Enrolled)
    assert again.name == ENROLLED.name
    assert [(one.name, one.outcome) for one in again.pictures] == [(one.name, one.outcome) for one in ENROLLED.pictures]
    assert enrols == ["enrolled"]
    assert code(parts, replace(ENROL, name="Bob"), key="1") == "conflict"


def test_an_answer_is_forgotten_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time_ns()
    day = 24 * 3600 * 1_000_000_000
    with service_in(tmp_path) as parts:
        ask(parts, added("door"), key="k")
        ask(parts, RemoveStream(name="door"))
        monkeypatch.setattr("engine.service.answers.time.time_ns", lambda: now + day - 10**9)
        ask(parts, added("door"), key="k")
        assert states(parts) == {}
        monkeypatch.setattr("engine.service.answers.time.time_ns", lambda: now + day + 10**11)
        ask(parts, added("door"), key="k")
        assert states(parts).keys() == {"door"}
    monkeypatch.setattr("engine.service.answers.time.time_ns", lambda: now + 3 * day)
    with service_in(tmp_path) as parts:
        assert parts.state.desired.answers == ()
        assert b"reply" not in parts.directory.desired.read_bytes()


def test_what_is_done_is_not_called_failed(
    parts: Parts, says: Says, enrols: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.service.desired.os.fsync", full)
    assert ask(parts, ENROL, key="1").result == ENROLLED
    (said,) = (one for one in says.sentences if "a change was made, but its answer cannot be kept" in one)
    assert "No space left on device" in said


def test_what_is_called_failed_is_not_there_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    for before in ([], ["hall"]):
        with service_in(tmp_path) as parts:
            for name in before:
                ask(parts, added(name))
            with monkeypatch.context() as patched:
                patched.setattr("engine.service.desired.sync_directory", broken)
                assert code(parts, added("door")) == "failed"
        with service_in(tmp_path) as parts:
            assert list(states(parts)) == before


def test_a_file_of_a_password_that_cannot_be_removed_is_no_failure(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    ask(parts, added("door", "rtsp://a:b@192.0.2.10/x"))
    ask(parts, RemoveStream(name="door"))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", denied)
        assert code(parts, added("hall")) == "done"
    assert states(parts).keys() == {"hall"}
