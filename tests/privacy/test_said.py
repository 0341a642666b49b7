"""What people have said of tracks goes with the person, or with the tracks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from engine.archive.corrections import TrackRef, append_correction, new_correction, read_corrections
from engine.archive.pieces import CORRECTIONS
from engine.privacy import Policy, erase, expire, said
from tests.privacy.output import all_bytes, lines, write_run

ADA, BOB = "Ada Lovelace", "Bob"


def ref(track_id: int) -> TrackRef:
    return TrackRef("run1", "cam1", track_id)


@pytest.fixture
def result(tmp_path: Path) -> Path:
    directory = write_run(tmp_path / "result", [("unknown", [BOB]), ("unknown", [BOB]), ("unknown", [BOB]), ("known", [BOB])])
    corrections = [
        new_correction("eve", "merge", [ref(1), ref(2)], note=f"both are {ADA}, by the coat"),
        new_correction("eve", "name", [ref(1)], name=ADA),
        new_correction("eve", "name", [ref(3)], name="Carl"),
    ]
    for one in corrections:
        append_correction([directory], one)
    return directory


def test_who_is_erased_loses_the_tracks_that_people_named_and_the_name(result):
    dry = erase([ADA], outputs=[result], dry_run=True).runs[0]
    assert (dry.tracks, [file.file for file in dry.files]) == (2, [CORRECTIONS])
    assert ADA.encode() in all_bytes(result)
    receipt = erase([ADA], outputs=[result])
    assert (receipt.found, receipt.is_complete) == (True, True)
    [done] = receipt.runs
    assert (done.tracks, done.mentions) == (2, [])
    assert {line["track_id"] for line in lines(result, "tracks.jsonl")} == {3, 4}
    assert ADA.encode() not in all_bytes(result)
    merge, name, other = read_corrections([result])
    assert (merge.erased, merge.note, merge.who) == (True, "both are [name], by the coat", "eve")
    assert (name.erased, name.name) == (True, "")
    assert other.name == "Carl"
    assert not erase([ADA], outputs=[result]).found


def test_of_another_directory_the_same_ids_are_other_tracks(result, tmp_path: Path):
    other = write_run(tmp_path / "other", [("unknown", [BOB])])
    append_correction([other], new_correction("eve", "name", [TrackRef("run7", "cam1", 1)], name=ADA))
    [_, done] = erase([ADA], outputs=[result, other]).runs
    assert (done.tracks, len(lines(other))) == (0, 2)
    assert ADA.encode() not in all_bytes(other)


def test_names_expire_with_the_last_of_their_tracks(result):
    later = time.time_ns() + 10 * 86_400 * 10**9
    append_correction([result], new_correction("eve", "name", [ref(3), ref(4)], name="Dora"))
    before = (result / CORRECTIONS).read_bytes()
    expire(result, Policy(strangers_days=1), later, dry_run=True)
    assert (result / CORRECTIONS).read_bytes() == before
    [done] = expire(result, Policy(strangers_days=1), later)
    assert done.tracks == 3
    assert [(one.name, one.erased) for one in read_corrections([result])] == [
        ("", True),
        ("", True),
        ("", True),
        ("Dora", False),
    ]
    [done] = expire(result, Policy(records_days=1), later)
    assert done.removed
    assert not (result / CORRECTIONS).exists()


def test_what_is_said_while_a_name_is_taken_out_is_not_lost(result, monkeypatch):
    later, write = new_correction("eve", "name", [ref(4)], name="Dora"), said.write_whole
    adding = threading.Thread(target=append_correction, args=([result], later))

    def meanwhile(path, content):
        adding.start()
        adding.join(0.1)  # what nobody keeps out has been added by now, to the file that goes
        write(path, content)

    monkeypatch.setattr(said, "write_whole", meanwhile)
    erase([ADA], outputs=[result])
    adding.join()
    assert [one.name for one in read_corrections([result])] == ["", "", "Carl", "Dora"]
