"""Every line is there, as it was written, in its place; and whom it is about can be forgotten."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.audit import AuditLog, read_entries, verify
from engine.audit import log as audit_log
from engine.audit.people import hidden, shown
from engine.errors import AuditError


def written(path: Path, lines: int = 6) -> AuditLog:
    log = AuditLog(path)
    for number in range(lines):
        log.record("anna", "enrol", on="door", people=[f"Person {number % 3}"], detail=f"picture {number}")
    return log


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    written(folder / "audit.jsonl")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    for name, content in whole.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path / "audit.jsonl"


def test_what_is_recorded_is_there_in_its_order_for_the_owner_alone(copy):
    entries = list(read_entries(copy))
    assert [entry.number for entry in entries] == list(range(6))
    assert (entries[0].who, entries[0].did, entries[0].on, entries[0].outcome) == ("anna", "enrol", "door", "done")
    assert entries[0].people == entries[3].people != entries[1].people
    verdict = verify(copy)
    assert (verdict.lines, verdict.faults, verdict.notes) == (6, (), ())
    fresh = AuditLog(copy.parent / "new" / "audit.jsonl")
    fresh.record("anna", "start", people=["Ada"])
    assert [stat.S_IMODE(path.stat().st_mode) for path in sorted(fresh.path.parent.iterdir())] == [0o600] * 3


@given(st.data())
def test_any_line_that_is_changed_taken_away_put_in_or_moved_is_found(whole, tmp_path_factory, data):
    lines = whole["audit.jsonl"].splitlines(keepends=True)
    kind = data.draw(st.sampled_from(["byte", "remove", "twice", "swap", "cut", "insert"]))
    at = data.draw(st.integers(0, len(lines) - 1))
    if kind == "byte":
        place = data.draw(st.integers(0, len(lines[at]) - 1))
        other = data.draw(st.integers(1, 255))
        lines[at] = lines[at][:place] + bytes([lines[at][place] ^ other]) + lines[at][place + 1 :]
    elif kind == "remove":
        del lines[at]
    elif kind == "twice":
        lines.insert(at, lines[at])
    elif kind == "swap":
        to = data.draw(st.integers(0, len(lines) - 1).filter(lambda place: place != at))
        lines[at], lines[to] = lines[to], lines[at]
    elif kind == "cut":
        lines = lines[:at]
    else:
        entry = json.loads(lines[at])
        lines.insert(at, msgspec.json.encode(entry | {"who": "mallory"}) + b"\n")
    folder = tmp_path_factory.mktemp("changed")
    for name, content in whole.items():
        (folder / name).write_bytes(content)
    (folder / "audit.jsonl").write_bytes(b"".join(lines))
    assert verify(folder / "audit.jsonl").faults


def test_what_a_power_cut_leaves_of_a_line_is_cut_off_and_told(copy):
    with copy.open("ab") as file:
        file.write(b'{"number":6,"at":"2026-\x00\x00\x00')
    assert verify(copy).faults == ()
    assert "never finished" in verify(copy).notes[0]
    AuditLog(copy).record("anna", "remove")
    told, last = list(read_entries(copy))[-2:]
    assert (told.did, told.who, last.did, last.number) == ("repair", "facestream", "remove", 7)
    assert "cut off 26 bytes" in told.detail
    assert verify(copy).faults == ()
    assert "1 time" in verify(copy).notes[0]


def test_lines_that_are_missing_at_the_end_stay_told_when_the_log_goes_on(copy):
    lines = copy.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(lines[:4]) + b"half")
    assert "2 are missing at the end" in verify(copy).faults[0]
    AuditLog(copy).record("anna", "remove")
    assert [entry.did for entry in read_entries(copy)][4:] == ["repair", "gap", "remove"]
    assert "line 6 says: 1 line missing" in verify(copy).faults[0]


def test_without_its_head_a_log_is_not_whole_and_says_so_for_ever(copy):
    copy.with_name("audit.jsonl.head").unlink()
    assert "nothing says where the log should end" in verify(copy).faults[0]
    AuditLog(copy).record("anna", "remove")
    assert "its head was missing" in verify(copy).faults[0]


@pytest.mark.parametrize(
    "head",
    [
        {"lines": 6, "sha256": ""},
        {"lines": 9, "sha256": ""},
        {"lines": 0, "sha256": "0" * 64},
        {"lines": -1, "sha256": "LAST"},
        {"lines": -1000, "sha256": "LAST"},
        {"lines": 10**30, "sha256": "LAST"},
        {"lines": 5, "sha256": "LAST"},
        {"lines": 6.5, "sha256": "LAST"},
        {"lines": None},
        [],
    ],
)
@pytest.mark.parametrize("kept", [6, 1, 0])
def test_a_forged_or_damaged_head_is_a_fault_however_long_the_log_is(copy, head, kept):
    lines = copy.read_bytes().splitlines(keepends=True)
    copy.write_bytes(b"".join(lines[:kept]))
    copy.with_name("audit.jsonl.head").write_text(json.dumps(head).replace("LAST", verify(copy).sha256))
    assert len(verify(copy).faults) == 1
    AuditLog(copy).record("anna", "remove")
    assert verify(copy).lines > kept
    if kept < 6 or head != {"lines": 5, "sha256": "LAST"}:
        assert "says" in verify(copy).faults[0], "the log keeps it"


def test_a_power_cut_before_the_first_head_is_no_fault(tmp_path):
    written(tmp_path / "log", lines=1)
    (tmp_path / "log.head").unlink()
    assert verify(tmp_path / "log").faults == ()
    AuditLog(tmp_path / "log").record("anna", "remove")
    assert verify(tmp_path / "log").faults == ()


def test_a_hash_that_was_kept_elsewhere_shows_another_log(copy, tmp_path):
    kept = verify(copy).sha256
    AuditLog(copy).record("anna", "remove")
    assert verify(copy, kept).faults == ()
    other = tmp_path / "other"
    written(other, lines=9)
    assert "no line has the hash" in verify(other, kept).faults[0]


def test_a_damaged_last_line_is_not_written_behind(copy):
    copy.write_bytes(copy.read_bytes()[:-10] + b"xxxxxxxxx\n")
    before = copy.read_bytes()
    with pytest.raises(AuditError, match="audit verify"):
        AuditLog(copy).record("anna", "remove")
    assert copy.read_bytes() == before


def test_a_forgotten_person_is_in_no_file_and_the_chain_still_holds(tmp_path):
    path, name = tmp_path / "audit.jsonl", "Zoë O'Neil"
    log = AuditLog(path)
    first = log.record("anna", "enrol", people=[name, "Zo"], detail=f"{name} looks like Zo, not like Zoo")
    assert shown(first.detail, log.names()) == f"{name} looks like Zo, not like Zoo"
    again = log.record("anna", "rename", people=["Zoe\u0308 O'Neil"])
    assert first.people[0] == again.people[0], "both encodings are one person"
    assert log.forget(lambda known: known == name) == 1
    stored = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert name.encode() not in stored
    assert b"O'Neil" not in stored
    assert "(erased " in shown(first.detail, log.names())
    assert "looks like Zo, not like Zoo" in shown(first.detail, log.names())
    assert verify(path).faults == ()
    assert log.record("anna", "enrol", people=[name]).people[0] != first.people[0], "who comes back is somebody new"


def test_a_pseudonym_fits_its_name_alone(tmp_path):
    log = AuditLog(tmp_path / "log")
    entry = log.record("anna", "enrol", people=["Ada"])
    file = tmp_path / "log.people"
    file.write_text(file.read_text().replace("Ada", "Bob"))
    assert log.names().get(entry.people[0]) is None


@pytest.mark.parametrize("name", ["", " ", 'a"b\\', "a\nb", "e\u0301", "\udcff", "x" * 5000, "person:" + "0" * 64, "(", "a.b"])
def test_any_name_can_be_recorded_and_forgotten(tmp_path, name):
    log = AuditLog(tmp_path / "log")
    log.record(name, name, on=name, people=[name], detail=f"it was {name}")
    log.forget(lambda known: True)
    assert log.names() == {}
    assert verify(log.path).faults == ()


def test_names_in_a_text_are_whole_words():
    assert hidden("Ann met Anna and Ann.", {"Ann": "p", "Anna": "q"}) == "person:p met person:q and person:p."
    assert hidden("a.b axb", {"a.b": "p"}) == "person:p axb"


def test_writers_of_several_processes_and_threads_lose_nothing(tmp_path):
    path = tmp_path / "audit.jsonl"
    program = (
        "import sys; from pathlib import Path; from engine.audit import AuditLog\n"
        "for n in range(20): AuditLog(Path(sys.argv[1])).record('process', 'enrol', people=[f'P{n}'])"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    processes = [subprocess.Popen([sys.executable, "-c", program, str(path)], env=environment) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda: [AuditLog(path).record("thread", "enrol", people=[f"P{n}"]) for n in range(20)])
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    assert verify(path).lines == 80
    assert verify(path).faults == ()
    assert len(AuditLog(path).names()) == 20, "each person has one pseudonym"


def test_a_writer_that_hangs_does_not_hold_up_the_others_for_ever(tmp_path, monkeypatch):
    log = written(tmp_path / "log", lines=1)
    monkeypatch.setattr(audit_log, "WAIT_SECONDS", 0.0)
    with log.path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(AuditError, match="another process has held"):
            log.record("anna", "remove")
    assert log.record("anna", "remove").number == 1


def test_what_stands_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path, why in (
        (tmp_path / "file" / "log", "File exists"),
        (tmp_path / "link", "symbolic link"),
        (tmp_path, "directory"),
    ):
        with pytest.raises(AuditError, match=why):
            AuditLog(path).record("anna", "enrol")
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "log.people").write_text("[]")
    with pytest.raises(AuditError, match="who is who"):
        AuditLog(tmp_path / "log").record("anna", "enrol", people=["Ada"])
    with pytest.raises(AuditError, match="No such file"):
        verify(tmp_path / "none")
