"""Pictures that go while the run goes on."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.archive import retention
from engine.archive.resume import reopen
from engine.archive.retention import Retention
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.publish.numbering import Numbering
from engine.report.page import write_report
from tests.publish.samples import face, track


class Clock:
    """Both clocks of the module."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def time(self) -> float:
        return self.now

    monotonic = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(retention, "time", made)
    return made


def put(kept: Retention, root: Path, name: str, size_bytes: int = 100, number: int = 0) -> Path:
    folder = root / "door" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number}.jpg").write_bytes(bytes(size_bytes))
    kept.wrote(folder, size_bytes)
    return folder


def names(root: Path) -> list[str]:
    return sorted(folder.name for folder in (root / "door").iterdir())


def test_what_is_too_old_goes_but_for_a_track_that_goes_on(tmp_path: Path, clock: Clock):
    kept = Retention(tmp_path, 600.0, 0)
    for name in ("1", "2", "3"):
        kept.ended(put(kept, tmp_path, name)) if name != "2" else put(kept, tmp_path, name)
        clock.now += 300
    assert kept.look() == [tmp_path / "door" / "1"]
    clock.now += 500
    assert kept.look() == [tmp_path / "door" / "3"]
    assert names(tmp_path) == ["2"]
    clock.now += 3600
    kept.look()
    assert names(tmp_path) == []
    assert kept.counters == {"removed.tracks": 3, "removed.pictures": 3, "removed.bytes": 300}


def test_of_too_much_the_oldest_goes(tmp_path: Path, clock: Clock):
    kept = Retention(tmp_path, 0.0, 250)
    for name in ("1", "2", "3", "4"):
        kept.ended(put(kept, tmp_path, name))
        clock.now += 1
    put(kept, tmp_path, "1", number=1)  # it goes on after all
    clock.now += 60
    kept.look()
    assert names(tmp_path) == ["1"]
    assert kept.counters["removed.bytes"] == 300


def test_what_an_earlier_publisher_left_counts(tmp_path: Path, clock: Clock):
    before = Retention(tmp_path, 0.0, 0)
    for number, name in enumerate(("1", "2", "3")):
        folder = put(before, tmp_path, name)
        os.utime(folder / "0.jpg", (clock.now - 1000 + number,) * 2)
    kept = Retention(tmp_path, 0.0, 200)
    assert kept.look() == [tmp_path / "door" / "1"]
    assert kept.counters == {"removed.tracks": 1, "removed.pictures": 1, "removed.bytes": 100}


def test_nothing_outside_is_touched(tmp_path: Path, clock: Clock):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "mine.jpg").write_bytes(b"x")
    root = tmp_path / "faces"
    (root / "door").mkdir(parents=True)
    (root / "door" / "7").symlink_to(outside)
    kept = Retention(root, 1.0, 1)
    kept.ended(put(kept, root, "1"))
    clock.now += 1e6
    assert kept.look() == [root / "door" / "1"]
    assert (outside / "mine.jpg").exists()


STEPS = st.lists(st.tuples(st.sampled_from(["write", "end", "wait"]), st.integers(0, 5), st.integers(1, 400)), max_size=40)


@settings(max_examples=40, deadline=None)
@given(STEPS, st.sampled_from([0.0, 100.0, 500.0]), st.sampled_from([0, 300, 1000]))
def test_what_is_still_written_is_never_deleted_and_all_is_counted(tmp_path_factory, steps, keep_seconds, keep_bytes):
    root, made = tmp_path_factory.mktemp("faces"), Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retention, "time", made)
        kept = Retention(root, keep_seconds, keep_bytes)
        written: dict[Path, int] = {}
        open_tracks: set[Path] = set()
        total = 0
        for number, (what, which, size) in enumerate(steps):
            folder = root / "door" / str(which)
            if what == "write":
                put(kept, root, str(which), size, number)
                written[folder] = written.get(folder, 0) + size
                total += size
                open_tracks.add(folder)
            elif what == "end":
                kept.ended(folder)
                open_tracks.discard(folder)
            else:
                made.now += 20
            gone = kept.look()
            assert open_tracks.isdisjoint(gone)
            for folder in gone:
                assert not folder.exists()
                del written[folder]
            assert kept.counters["removed.bytes"] == total - sum(written.values())
            assert all(folder.exists() for folder in written)


def run(directory: Path, clock: Clock, *, expires: bool) -> DirectorySink:
    config = OutputConfig(directory=str(directory), keep_pictures_days=1.0)
    numbering, sink = Numbering("run1"), DirectorySink(config, {"run_id": "run1"}, expires=expires)
    for track_id in range(3):
        message, payloads = face(track_id=track_id)
        sink.write(numbering.stamp(message), payloads)
        message, payloads = track(track_id=track_id)
        sink.write(numbering.stamp(message), payloads)
        clock.now += 86_400 * 0.6
    sink.close("completed", {"counters": sink.counters})
    return sink


def test_the_directory_lets_go_and_the_report_copes(tmp_path: Path, clock: Clock):
    sink = run(tmp_path, clock, expires=True)
    assert sorted(path.name for path in (tmp_path / "faces" / "cam1").iterdir()) == ["1", "2"]
    assert (sink.counters["removed.tracks"], sink.counters["removed.pictures"]) == (1, 2)
    assert len((tmp_path / "faces.jsonl").read_text().splitlines()) == 3
    page = write_report(tmp_path, 10).read_text(encoding="utf-8")
    assert page.count("the pictures are missing") == 1


def test_a_run_over_recordings_keeps_everything(tmp_path: Path, clock: Clock):
    sink = run(tmp_path, clock, expires=False)
    assert sorted(path.name for path in (tmp_path / "faces" / "cam1").iterdir()) == ["0", "1", "2"]
    assert sink.counters == {}


def test_tracks_that_are_kept_take_little_memory(tmp_path: Path, clock: Clock):
    """It was 600 bytes a track: a run without end had a gigabyte of them."""
    kept = Retention(tmp_path, 86_400.0, 0)
    tracemalloc.start()
    for number in range(2000):
        folder = tmp_path / "door" / str(number)
        kept.wrote(folder, 100)
        kept.ended(folder)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 2000 * 120


def test_the_report_of_an_earlier_attempt_does_not_keep_what_goes(tmp_path: Path, clock: Clock):
    run(tmp_path, clock, expires=True)
    report = write_report(tmp_path, 10)
    for expires, is_there in ((False, True), (True, False)):
        DirectorySink(
            OutputConfig(directory=str(tmp_path)), {"run_id": "run1"}, resume=reopen(tmp_path), expires=expires
        ).close("drained")
        assert report.exists() == is_there
