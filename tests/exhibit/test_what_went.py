"""What retention and erasures delete is told, and nothing else passes for it."""

import shutil
import time

import pytest
from msgspec.structs import replace

from engine.archive import chain_writer, expiry, retention
from engine.archive.chain import CHAIN, Block, Keep
from engine.archive.chain_cuts import cutting, seal_corrections
from engine.archive.corrections import TrackRef, append_correction, new_correction
from engine.contracts.hash_chain import decode, encode, hash_of
from engine.exhibit import verify
from engine.privacy import Policy, erase, expire
from engine.privacy.cutting import cut
from engine.publish.numbering import Numbering
from engine.service.run_expiry import expire_run
from engine.service.task_messages import ExpireTask
from tests.exhibit.results import faults, finished, notes, sink, write_some
from tests.privacy.output import write_run

DAY_NS = 86_400 * 10**9


def aged(directory, days):
    """Make the chain that it would have if it had been written so long ago; lines keep their times."""
    before, lines = "0" * 64, []
    for line in (directory / CHAIN).read_bytes().splitlines(keepends=True):
        block = decode(line, Block)
        again = replace(block, before=before, at_ns=block.at_ns - round(days * DAY_NS)).finished(None)
        lines.append(encode(again))
        before = hash_of(lines[-1])
    (directory / CHAIN).write_bytes(b"".join(lines))


def test_pictures_that_a_run_deletes_went_by_retention(tmp_path, monkeypatch):
    monkeypatch.setattr(retention, "_LOOK_SECONDS", 0.0)
    written, numbering = sink(tmp_path, expires=True, keep_pictures_gb=1e-9), Numbering("run1")
    write_some(written, numbering, tracks=3)
    written.close("completed")
    found = verify(tmp_path)
    assert (found.faults, found.pictures + found.went) == ([], 24)
    assert found.went >= 16
    gone = next(iter(sorted((tmp_path / "faces").rglob("*.jpg"))), None)
    if gone is not None:
        gone.unlink()
        assert "no retention has deleted it" in faults(tmp_path)[0]


def test_a_picture_that_was_too_young_did_not_go_by_retention(tmp_path):
    written, numbering = sink(tmp_path, expires=True, keep_pictures_days=7.0), Numbering("run1")
    write_some(written, numbering, tracks=1)
    written._going._tell_folders([tmp_path / "faces/cam1/1"])  # says so, and is not due
    shutil.rmtree(tmp_path / "faces/cam1/1")
    written.close("completed")
    assert "which was no retention: it was to stay for 7 days, and was at most 0.00 days old" in faults(tmp_path)[0]


def test_where_nothing_was_to_go_nothing_went_by_retention(tmp_path):
    finished(tmp_path / "result")
    with cutting(tmp_path / "result", "expire") as doing:
        shutil.rmtree(tmp_path / "result/faces/cam1/1")
        doing.chain.add("sealed", removed=["faces/cam1/1"])
    assert "which was no retention: nothing was to go by age or size" in faults(tmp_path / "result")[0]


def test_lines_that_a_run_empties_went_by_retention(tmp_path, monkeypatch):
    monkeypatch.setattr(expiry, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(chain_writer, "SEAL_SECONDS", 0.0)
    written, numbering = sink(tmp_path, expires=True, keep_records_gb=3e-5), Numbering("run1")
    write_some(written, numbering, tracks=8)
    written.close("completed")
    assert faults(tmp_path) == []
    assert any(note.startswith("faces.jsonl: retention has deleted its first") for note in notes(tmp_path))
    path = tmp_path / "faces.jsonl"
    expiry.empty(path, expiry.first_data(path) + 100)
    assert faults(tmp_path), "a larger hole than the run has made"


def test_an_erasure_leaves_a_chain_that_fits(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ada", "Bob"]), ("known", ["Bob", "Ada"]), ("known", ["Bob"])])
    assert faults(result) == []
    [done] = erase(["Ada"], outputs=[result], who="clerk").runs
    assert (done.error, faults(result), done.breaks_off) == ("", [], False)
    assert faults(result, holds=done.head) == []
    assert any(f"block {done.block}: an erasure by clerk at " in note for note in notes(result))
    assert done.head == decode((result / CHAIN).read_bytes().splitlines(keepends=True)[-1], Block).hash
    blocks = verify(result).blocks
    [done] = erase(["Nobody"], outputs=[result]).runs
    assert (done.block, verify(result).blocks) == (None, blocks), "a chain is told of nothing where nothing went"
    path = result / "tracks.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert faults(result)[0].startswith("tracks.jsonl: line 2 is missing")


def test_an_erasure_hides_no_change_that_was_made_before(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ada"]), ("known", ["Bob"])])
    path = result / "faces.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"Bob"', b'"Eve"'))
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines(keepends=True)[0])
    erase(["Ada"], outputs=[result])
    told = faults(result)
    assert told[0].startswith("faces.jsonl: line 3 was changed, as an erasure found at ")
    assert any("faces.jsonl: line 5 was put in, as an erasure found" in one for one in told)


def test_an_erasure_that_was_killed_is_said_and_can_be_finished(tmp_path, monkeypatch):
    result = write_run(tmp_path / "result", [("known", ["Ada"]), ("known", ["Bob"])])

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.privacy.cutting._rewrite", killed)
    with pytest.raises(KeyboardInterrupt):
        erase(["Ada"], outputs=[result])
    monkeypatch.undo()
    assert any("an erasure was begun at" in note for note in notes(result))
    erase(["Ada"], outputs=[result])
    assert faults(result) == []
    assert not any("begun" in note for note in notes(result))


def test_what_expires_is_told_with_its_rule(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ada"]), ("unknown", [])])
    aged(result, 10)
    later = time.time_ns() + 10 * DAY_NS
    [done] = expire(result, Policy(strangers_days=5.0), later)
    assert (done.error, done.tracks, faults(result)) == ("", 1, [])
    [done] = expire(result, Policy(pictures_days=5.0), later)
    assert (done.error, faults(result)) == ("", [])


def test_what_people_have_said_since_is_set_right_with_it(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ada"]), ("unknown", [])])
    aged(result, 10)
    for name in ("Carol", "Carole"):
        append_correction([result], new_correction("Bob", "name", [TrackRef("run1", "cam1", 2)], name=name))
        assert seal_corrections(result, "Bob")
    [done] = expire(result, Policy(strangers_days=5.0), time.time_ns() + 10 * DAY_NS)
    assert (done.error, done.tracks, faults(result)) == ("", 1, [])
    assert b"Carol" not in (result / "corrections.jsonl").read_bytes()


def test_what_was_too_young_did_not_expire(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ada"]), ("unknown", [])])
    with cutting(result, "expire", keep=Keep(strangers_days=5.0)):
        cut(result, Drops())
    assert "which was no expiry: it was to stay for 5 days, and was at most 0.00 days old" in faults(result)[0]


def test_a_run_that_expires_wholly_takes_its_chain_along(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ada"])])
    [done] = expire(result, Policy(records_days=1.0), time.time_ns() + 3 * DAY_NS)
    assert (done.error, done.removed, result.exists()) == ("", True, False)


class Drops:
    def record(self, record):
        return record if record.get("decision") == "known" or record.get("kind") == "stream" else None

    def keeps_unreadable(self, line):
        return True


def test_what_a_service_deletes_of_a_finished_run_is_told(tmp_path):
    result = write_run(tmp_path / "result", [("known", ["Ada"])] * 4, faces=4)
    pictures = sum(path.stat().st_size for path in result.glob("faces/*/*/*"))
    gone = expire_run(ExpireTask(run=str(result), most_pictures_bytes=pictures // 2))
    found = verify(result)
    assert (gone.faults, found.faults) == ([], [])
    assert found.went > 0
    [left] = sorted(result.glob("faces/*/*"))[-1:]
    shutil.rmtree(left)
    assert "no retention has deleted it" in faults(result)[0]
