"""What is asked of a service is in its audit log."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.audit import read_entries, verify
from engine.audit.log import AuditLog
from engine.config import SourceConfig
from engine.control import verbs
from engine.control.answers import Problem
from engine.control.verbs import AnyVerb
from engine.service.audit import Audit

ADDED = verbs.AddStream(source=SourceConfig(uri="rtsp://ada:secret@192.0.2.1/1", name="door"))
ENROLLED = verbs.EnrolPerson(name="Ada Lovelace", pictures=[verbs.Picture(content=b"picture")])


@pytest.mark.parametrize(
    ("verb", "problem", "line", "people"),
    [
        (ADDED, None, ("streams.add", "door", "done", ""), []),
        (ADDED, "refused", ("streams.add", "door", "refused", "refused"), []),
        (ADDED, "deadline", ("streams.add", "door", "failed", "deadline"), []),
        (verbs.RemoveStream(name="door"), "not_found", ("streams.remove", "door", "refused", "not_found"), []),
        (ENROLLED, None, ("people.enrol", "", "done", ""), ["Ada Lovelace"]),
        (verbs.RenamePerson(name="A", new_name="B"), None, ("people.rename", "", "done", ""), ["A", "B"]),
        (verbs.NotThatPerson(name="A", run_id="r", stream="s", track_id=3), None,
         ("people.not_that_person", "r/s/3", "done", ""), ["A"]),
        (verbs.EnrolPerson(name="a\x1b[31mb\0", pictures=[]), "bad_request",
         ("people.enrol", "", "refused", "bad_request"), []),
        (verbs.EnrolPerson(name="x" * 201, pictures=[]), "bad_request", ("people.enrol", "", "refused", "bad_request"), []),
        (verbs.RenamePerson(name=" A  b", new_name="\u202eB"), "bad_request",
         ("people.rename", "", "refused", "bad_request"), ["A b"]),
        (verbs.Drain(), "forbidden", ("drain", "", "refused", "forbidden"), []),
    ],
)  # fmt: skip
def test_a_verb_is_a_line_without_secrets_and_with_pseudonyms(
    tmp_path: Path, verb: AnyVerb, problem: str | None, line: tuple[str, ...], people: list[str]
) -> None:
    path, warned = tmp_path / "audit.jsonl", list[str]()
    Audit(path, warned.append).record("web:desk", verb, problem and Problem(code=problem, message="why"))  # type: ignore[arg-type]
    entry = list(read_entries(path))[-1]
    assert (entry.who, (entry.did, entry.on, entry.outcome, entry.detail)) == ("web:desk", line)
    names = AuditLog(path).names()
    assert [names[pseudonym] for pseudonym in entry.people] == people
    text = path.read_text(encoding="utf-8")
    assert not any(word in text for word in ("secret", "Lovelace", "picture"))
    assert not verify(path).faults
    assert not warned


def test_a_log_that_cannot_be_written_is_said_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").mkdir()
    warned: list[str] = []
    Audit(tmp_path / "audit.jsonl", warned.append).record("local:0", verbs.Drain(), None)
    assert len(warned) == 1
    assert warned[0].startswith("drain by local:0 is missing from the audit log: ")


def test_who_is_refused_does_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, path = 0.0, tmp_path / "audit.jsonl"
    monkeypatch.setattr("engine.words.seldom.time.monotonic", lambda: now)
    audit = Audit(path, print)
    forbidden = Problem(code="forbidden", message="why")
    for _ in range(50):
        audit.record("key:kiosk", verbs.Drain(), forbidden)
    audit.record("key:other", verbs.Drain(), forbidden)
    audit.record("key:kiosk", verbs.RemoveStream(name="door"), forbidden)
    audit.record("key:kiosk", verbs.Drain(), Problem(code="stopping", message="why"))
    for _ in range(3):
        audit.record("key:kiosk", verbs.Drain(), None)
    now = 61.0
    audit.record("key:kiosk", verbs.Drain(), forbidden)
    lines = [(one.who, one.did, one.detail) for one in read_entries(path)]
    assert lines == [
        ("key:kiosk", "drain", "forbidden"),
        ("key:other", "drain", "forbidden"),
        ("key:kiosk", "streams.remove", "forbidden"),
        ("key:kiosk", "drain", "stopping"),
        *[("key:kiosk", "drain", "")] * 3,
        ("key:kiosk", "drain", "forbidden (and 49 more like it)"),
    ]
