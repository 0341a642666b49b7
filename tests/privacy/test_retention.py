"""What is too old is gone from the disk, of finished runs too, and nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from engine.errors import UsageError
from engine.lock import DirectoryLock
from engine.privacy import Policy, expire
from tests.privacy.output import all_bytes, lines, vector, write_run
from tests.privacy.test_erasure import resume_of

DAY_NS = 86_400 * 10**9
NOW_NS = 1_700_000_000 * 10**9


def aged(directory: Path, days: dict[int, float]) -> Path:
    """Say of the lines of each track, and of the run, how many days old they are; days of 0 are those of the run."""
    for name in ("faces.jsonl", "tracks.jsonl", "stream.jsonl"):
        told = lines(directory, name)
        for line in told:
            line["sent_ns"] = round(NOW_NS - days.get(line.get("track_id", 0), days[0]) * DAY_NS)
        (directory / name).write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in told))
    run = json.loads((directory / "run.json").read_bytes())
    run["started_ns"] = run["ended_ns"] = round(NOW_NS - days[0] * DAY_NS)
    (directory / "run.json").write_text(json.dumps(run))
    for path in directory.rglob("*"):
        os.utime(path, ns=(NOW_NS, NOW_NS))
    return directory


@pytest.fixture
def result(tmp_path) -> Path:
    """Tracks of 10 days (known), 10 (a stranger), and 1 (both)."""
    walks = [("known", ["Ada"]), ("unknown", ["Ada"]), ("known", ["Ada"]), ("undecided", ["Ada"])]
    (tmp_path / "runs").mkdir()
    return aged(write_run(tmp_path / "runs" / "1", walks), {0: 1, 1: 10, 2: 10})


def only(directory: Path, now_ns: int = NOW_NS, **policy: float):
    [done] = expire(directory, Policy(**policy), now_ns)
    return done


def test_old_pictures_go_from_the_disk_the_lines_and_the_report(result):
    pictures = set(result.glob("faces/*/[12]/*"))
    young = {path: path.read_bytes() for path in result.glob("faces/*/[34]/*")}
    before = (result / "report.html").read_bytes()
    done = only(result, pictures_days=5)
    assert (done.pictures, done.vectors, done.tracks, done.changed_lines) == (8, 0, 0, 4)
    assert done.bytes > 8 * 100
    assert not any(path.exists() for path in pictures)
    assert {path: path.read_bytes() for path in result.glob("faces/*/*/*")} == young
    assert [sorted(line.get("files", {})) for line in lines(result)] == [[]] * 4 + [["enhanced", "original"]] * 4
    assert [part["name"] for part in lines(result)[0]["parts"]] == ["embedding"]
    assert len((result / "report.html").read_bytes()) < len(before)
    resume = resume_of(result)
    assert (set(resume.done), resume.broken) == ({"cam1"}, set()), "what is left is whole"


def test_old_pictures_of_tracks_go_with_those_of_their_faces(tmp_path):
    result = aged(write_run(tmp_path / "1", [("known", ["Ada"]), ("unknown", ["Ada"])], fused=True), {0: 1, 1: 10})
    assert len(list(result.glob("faces/*/*/*_track.jpg"))) == len(list(result.glob("faces/*/*/*_agreement.jpg"))) == 2
    done = only(result, pictures_days=5)
    assert (done.pictures, done.vectors, done.changed_lines) == (6, 0, 3)
    assert {path.parent.name for path in result.glob("faces/*/*/*")} == {"2"}
    old, young = lines(result, "tracks.jsonl")
    assert ("files" in old, [part["name"] for part in old["parts"]]) == (False, ["embedding"])
    assert sorted(young["files"]) == ["agreement", "track"]
    assert resume_of(result).broken == set()


def test_old_vectors_become_zeros_and_their_lines_stay(result):
    done = only(result, vectors_days=5)
    assert (done.vectors, done.pictures, done.faces) == (6, 0, 0)
    after = np.fromfile(result / "embeddings_128.f32", "<f4").reshape(-1, 128)
    assert [bool(row.any()) for row in after] == [False] * 6 + [True] * 6
    assert vector(1) not in all_bytes(result)
    assert ["embedding" in line for line in lines(result)] == [False] * 4 + [True] * 4
    assert resume_of(result).broken == set()


def test_old_records_go_with_all_that_they_name(result):
    done = only(result, records_days=5)
    assert (done.tracks, done.faces, done.pictures, done.vectors, done.removed) == (2, 4, 8, 6, False)
    assert [line["track_id"] for line in lines(result)] == [3, 3, 4, 4]
    assert set(resume_of(result).done) == {"cam1"}


def test_strangers_go_before_people_who_are_known(result):
    done = only(result, strangers_days=5)
    assert done.tracks == 1
    assert {line["track_id"] for line in lines(result)} == {1, 3, 4}
    assert only(result, strangers_days=0.5).tracks == 1
    assert {line["track_id"] for line in lines(result)} == {1, 3}


def test_a_run_that_is_too_old_as_a_whole_goes_and_what_is_not_its_own_stays(result):
    (result / "notes.txt").write_text("mine")
    assert only(result, now_ns=NOW_NS + 30 * DAY_NS, records_days=5).removed
    assert [path.name for path in result.iterdir()] == ["notes.txt"]
    (result / "notes.txt").unlink()
    assert expire(result.parent, Policy(records_days=5)) == []


def test_a_run_of_nothing_but_its_record_goes_when_it_is_old(tmp_path):
    result = aged(write_run(tmp_path / "runs", []), {0: 10})
    (result / "stream.jsonl").unlink()
    assert not only(result, records_days=20).removed
    assert only(result, records_days=5).removed
    assert not result.exists()


def test_the_same_again_finds_nothing(result):
    policy = {"pictures_days": 5, "vectors_days": 5, "strangers_days": 5}
    assert only(result, **policy).changed_lines
    before = all_bytes(result)
    again = only(result, **policy)
    assert (again.bytes, again.pictures, again.vectors, again.report) == (0, 0, 0, "")
    assert all_bytes(result) == before


def test_a_report_that_a_kill_left_is_made_anew(result):
    report = (result / "report.html").read_bytes()
    only(result, pictures_days=5)
    (result / "report.html").write_bytes(report)
    os.utime(result / "report.html", (1, 1))
    assert only(result, pictures_days=5).report == "written again"
    assert (result / "report.html").read_bytes() != report


def test_old_pictures_that_no_line_names_go_too(result):
    orphan = result / "faces/cam1/9/000000_original.jpg"
    orphan.parent.mkdir()
    orphan.write_bytes(b"left by a worker that died")
    os.utime(orphan, ns=(NOW_NS - 6 * DAY_NS,) * 2)
    only(result, pictures_days=20)
    assert orphan.exists()
    only(result, pictures_days=5)
    assert not orphan.parent.exists()


def test_a_run_that_goes_on_is_left_to_itself(result):
    before = all_bytes(result)
    lock = DirectoryLock(result)
    done = only(result, records_days=0.1)
    lock.close()
    assert (done.goes_on, done.error, all_bytes(result)) == (True, "", before)


def test_a_folder_of_runs_is_worked_through_and_one_that_is_damaged_stops_nobody(result):
    runs = result.parent
    shutil.copytree(result, runs / "2")
    (runs / "2" / "run.json").write_text("{")
    with (runs / "2" / "faces.jsonl").open("ab") as file:
        file.write(b"\xff damaged\n{\n")
    (runs / "deep" / "er").mkdir(parents=True)
    write_run(runs / "deep" / "er" / "3", [("known", ["Ada"])])
    (runs / "away").symlink_to(runs.parent)
    done = expire(runs, Policy(pictures_days=5), NOW_NS)
    assert [Path(one.directory).relative_to(runs).as_posix() for one in done] == ["1", "2", "deep/er/3"]
    assert [one.error for one in done] == [""] * 3
    assert (done[0].pictures, done[1].pictures) == (8, 8)
    assert (done[1].report, (runs / "2" / "report.html").exists()) == ("removed", False)


def test_links_are_never_followed(result, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(result, outside)
    before = all_bytes(outside)
    shutil.rmtree(result / "faces")
    (result / "faces").symlink_to(outside / "faces")
    (result / "tracks.jsonl").unlink()
    (result / "tracks.jsonl").symlink_to(outside / "tracks.jsonl")
    done = only(result, now_ns=NOW_NS + 90 * DAY_NS, pictures_days=5, records_days=5)
    assert all_bytes(outside) == before
    assert "tracks.jsonl" in done.not_followed


def test_lines_without_a_time_are_as_old_as_their_file(tmp_path):
    result = write_run(tmp_path / "run", [("known", ["Ada"])])
    told = [{key: value for key, value in line.items() if key != "sent_ns"} for line in lines(result)]
    (result / "faces.jsonl").write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in told))
    assert only(result, now_ns=time.time_ns(), pictures_days=5).pictures == 0
    assert only(result, now_ns=time.time_ns() + 6 * DAY_NS, pictures_days=5).pictures == 4


def test_a_dry_run_says_the_same_and_changes_nothing(result):
    before = all_bytes(result)
    [tried] = expire(result, Policy(records_days=5), NOW_NS, dry_run=True)
    assert all_bytes(result) == before
    done = only(result, records_days=5)
    assert (tried.tracks, tried.faces, tried.pictures, tried.vectors) == (done.tracks, done.faces, done.pictures, done.vectors)


def test_a_policy_that_keeps_everything_is_an_error(result):
    with pytest.raises(UsageError, match="nothing is to expire"):
        expire(result, Policy(), NOW_NS)
    with pytest.raises(UsageError, match="is not a directory"):
        expire(result / "none", Policy(records_days=1), NOW_NS)


@pytest.mark.parametrize("days", [-1.0, float("nan"), float("inf")])
def test_days_that_are_none_are_an_error(result, days):
    with pytest.raises(UsageError, match="cannot keep something for"):
        expire(result, Policy(pictures_days=days), NOW_NS)


def test_a_clock_that_was_ahead_keeps_nothing_for_ever(result):
    for name in ("faces.jsonl", "tracks.jsonl", "stream.jsonl"):
        told = [line | {"sent_ns": NOW_NS + 36_500 * DAY_NS} for line in lines(result, name)]
        (result / name).write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in told))
        os.utime(result / name, ns=(NOW_NS, NOW_NS))
    assert only(result, now_ns=NOW_NS + 6 * DAY_NS, pictures_days=5).pictures == 16
    for path in result.iterdir():
        os.utime(path, ns=(NOW_NS, NOW_NS))
    assert only(result, now_ns=NOW_NS + 6 * DAY_NS, records_days=5).removed
