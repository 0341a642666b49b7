"""What is too old goes, and takes no room; what stays is read as before, by lines and by rows."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.archive import expiry
from engine.archive.expiry import Expiry, empty, first_line_since
from engine.archive.files import first_data, keep_lines, whole_lines
from engine.archive.reader import read_streams
from engine.archive.resume import reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.streams import StreamChanged
from engine.publish.numbering import Numbering
from tests.publish.samples import face, track

HOUR, DAY = 3_600, 86_400


def line(sent: int, row: int | None = None) -> bytes:
    vector = {} if row is None else {"embedding": {"file": "embeddings_128.f32", "row": row}}
    return json.dumps({"sent_ns": sent, "padding": "x" * 90} | vector).encode() + b"\n"


@pytest.fixture
def holes(tmp_path: Path) -> Path:
    """A folder on a file system that has holes."""
    path = tmp_path / "probe"
    path.write_bytes(bytes(1 << 16))
    try:
        empty(path, 1 << 15)
    except OSError as error:
        pytest.skip(f"no holes here: {error}")
    return tmp_path


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(0, 51), st.integers(1, 2000))
def test_the_first_line_that_stays_is_found_from_anywhere(tmp_path_factory, times: list[int], since: int, near: int):
    lines = [line(sent) for sent in sorted(times)]
    path = tmp_path_factory.mktemp("lines") / "faces.jsonl"
    path.write_bytes(b"".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expiry, "_NEAR_BYTES", near)
        start = first_line_since(path, since)
    assert b"".join(lines)[start:] == b"".join(line(sent) for sent in sorted(times) if sent >= since)


def test_a_hole_takes_no_room_and_is_no_line(holes: Path):
    path = holes / "faces.jsonl"
    lines = [line(number) for number in range(2000)]
    path.write_bytes(b"".join(lines))
    before, until = path.stat(), sum(map(len, lines[:1500]))
    assert empty(path, until) == until
    assert empty(path, until) == 0, "it is gone already"
    after = path.stat()
    assert after.st_size == before.st_size
    assert after.st_blocks < before.st_blocks / 2
    assert first_data(path) == until
    assert list(whole_lines(path)) == lines[1500:]
    assert list(whole_lines(path, until + len(lines[1500]))) == lines[1501:]
    assert first_line_since(path, 0) == until
    assert keep_lines(path, lambda one: True) == until, "the hole goes where a file is written anew"
    assert list(whole_lines(path)) == lines[1500:]


def test_a_file_of_which_all_is_gone_has_no_lines_and_goes_on(holes: Path):
    path = holes / "faces.jsonl"
    path.write_bytes(line(1) * 200)
    empty(path, path.stat().st_size)
    assert list(whole_lines(path)) == []
    with path.open("ab") as file:
        file.write(line(2))
    assert list(whole_lines(path)) == [line(2)]


class Clock:
    """Both clocks of all modules, of which the wall clock can be set."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self.wall = 5.0 * DAY, 1_000.0 * DAY
        patch.setattr(expiry, "_LOOK_SECONDS", 0.0)
        patch.setattr(time, "monotonic", lambda: self.now)
        patch.setattr(time, "time", lambda: self.wall)
        patch.setattr(time, "time_ns", lambda: round(self.wall * 1e9))

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.wall += seconds


def test_a_run_forgets_what_is_old_and_another_publisher_goes_on(holes: Path, monkeypatch: pytest.MonkeyPatch):
    clock = Clock(monkeypatch)
    out = holes / "out"
    config = OutputConfig(directory=str(out), keep_records_days=2.5)
    numbering, sink = Numbering("run1"), DirectorySink(config, {"run_id": "run1"}, expires=True)
    for day in range(6):
        for number in range(40):
            message, payloads = face(track_id=40 * day + number, index=number)
            sink.write(numbering.stamp(message), payloads)
            message, payloads = track(track_id=40 * day + number)
            sink.write(numbering.stamp(message), payloads)
        clock.pass_by(DAY)
    sink.close("drained")
    assert sink.counters["removed.record_bytes"] > 0
    faces = [json.loads(one) for one in whole_lines(out / "faces.jsonl")]
    assert {one["track_id"] // 40 for one in faces} == {3, 4, 5}
    assert {json.loads(one)["track_id"] // 40 for one in whole_lines(out / "tracks.jsonl")} == {3, 4, 5}
    for file in out.glob("embeddings_*.f32"):
        rows = np.fromfile(file, "<f4").reshape(-1, int(file.stem.partition("_")[2]))
        first = min(one["embedding"]["row"] for one in faces)
        assert not rows[:first].any()
        assert all(rows[one["embedding"]["row"]].any() for one in faces), "those that stay are where they were"
    assert reopen(out).first_track_id == 240
    assert read_streams(out) == {}


@pytest.mark.parametrize("jump", [-400 * DAY, -HOUR, 0, HOUR, 400 * DAY])
def test_a_clock_that_is_set_makes_nothing_old(holes: Path, monkeypatch: pytest.MonkeyPatch, jump: float):
    """A step of NTP used to empty all that was younger than it was wide."""
    clock = Clock(monkeypatch)
    kept = Expiry(holes, 3 * HOUR)
    path = holes / "faces.jsonl"
    for hour in range(8):
        if hour == 4:
            clock.wall += jump
        with path.open("ab") as file:
            file.writelines(line(round(clock.wall * 1e9) + number) for number in range(100))
        kept.look()
        young = [json.loads(one)["sent_ns"] for one in whole_lines(path)]
        assert len(young) >= 100 * min(hour + 1, 3), "what is younger than three hours is there"
        clock.pass_by(HOUR)
    if jump >= 0:
        assert len(young) <= 400, "and what is older is not"


@pytest.mark.parametrize("jump", [-400 * DAY, -HOUR, 0, HOUR, 400 * DAY])
def test_of_too_many_lines_and_vectors_the_oldest_go(holes: Path, monkeypatch: pytest.MonkeyPatch, jump: float):
    """Those of a stream's states too, and the pictures of the lines that go; also where the clock is set meanwhile."""
    clock, out, most = Clock(monkeypatch), holes / "out", 200_000
    for module in ("expiry", "retention"):
        monkeypatch.setattr(f"engine.archive.{module}._LOOK_SECONDS", 20 * 60.0)
    config = OutputConfig(directory=str(out), keep_records_gb=most / 1e9)
    numbering, sink = Numbering("run1"), DirectorySink(config, {"run_id": "run1"}, expires=True)
    for number in range(121):
        clock.wall += jump if number == 70 else 0
        message, payloads = face(track_id=number, index=number)
        sink.write(numbering.stamp(message), payloads)
        message, payloads = track(track_id=number)
        sink.write(numbering.stamp(message), payloads)
        for state in ("stalled", "live"):
            sink.write(numbering.stamp(StreamChanged("cam1", state, "network", "x" * 200)), [])
        clock.pass_by(60)
    sink.close("drained")
    files = ["faces.jsonl", "tracks.jsonl", "stream.jsonl", *(path.name for path in out.glob("embeddings_*.f32"))]
    assert sum((out / name).stat().st_size for name in files) > 1.5 * most
    assert 0.8 * most < sum((out / name).stat().st_size - first_data(out / name) for name in files) <= 1.02 * most
    faces = [json.loads(one)["track_id"] for one in whole_lines(out / "faces.jsonl")]
    assert faces == list(range(faces[0], 121))
    assert len(list(whole_lines(out / "stream.jsonl"))) == pytest.approx(2 * len(faces), abs=2)
    tracks = [json.loads(one)["track_id"] for one in whole_lines(out / "tracks.jsonl")]
    pictures = {int(folder.name) for folder in (out / "faces" / "cam1").iterdir()}
    assert pictures == {*faces, *tracks}
    assert len(tracks) == pytest.approx(len(faces), abs=1)


def test_a_file_system_without_holes_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "faces.jsonl").write_bytes(line(1))
    monkeypatch.setattr(expiry, "_libc", type("Libc", (), {"fallocate": staticmethod(lambda *_: -1)}))
    monkeypatch.setattr(expiry.ctypes, "get_errno", lambda: 95)
    with pytest.raises(OSError, match=os.strerror(95)):
        Expiry(tmp_path, 1.0).look()


def test_no_vector_is_looked_for_among_the_states_of_streams(holes: Path, monkeypatch: pytest.MonkeyPatch):
    """Each look at too many lines read thousands of them, two dozen times over: a second of the publisher's."""
    monkeypatch.setattr(expiry, "_LOOK_SECONDS", 0.0)
    now = time.time_ns()
    (holes / "stream.jsonl").write_bytes(b"".join(line(now - 10**9 * (3000 - number)) for number in range(3000)))
    (holes / "embeddings_128.f32").write_bytes(bytes(512))
    read = [0]

    def counted(path: Path, offset: int = 0):
        for one in whole_lines(path, offset):
            read[0] += 1
            yield one

    monkeypatch.setattr(expiry, "whole_lines", counted)
    kept = Expiry(holes, 0.0, 200_000)
    kept.look()
    assert kept.freed_bytes > 100_000
    assert read[0] < 6000


def test_lines_stay_where_vectors_that_none_of_them_names_fill_the_room(holes: Path):
    """All lines went at each look, and still there was too much."""
    now = time.time_ns()
    (holes / "faces.jsonl").write_bytes(b"".join(line(now - 10**9 * (300 - number)) for number in range(300)))
    (holes / "embeddings_128.f32").write_bytes(bytes(300_000))
    kept = Expiry(holes, 0.0, 200_000)
    kept.look()
    assert kept.freed_bytes == 0
    assert len(list(whole_lines(holes / "faces.jsonl"))) == 300


@pytest.mark.parametrize("ago_seconds", [0, 30 * DAY])
def test_of_a_run_that_has_ended_the_oldest_vectors_go_too(holes: Path, ago_seconds: int):
    """Nothing went where the vectors alone took too much: behind the last line none is named."""
    ended = time.time_ns() - ago_seconds * 10**9
    (holes / "faces.jsonl").write_bytes(b"".join(line(ended - 10**9 * (1000 - row), row) for row in range(1000)))
    (holes / "embeddings_128.f32").write_bytes(b"\1" * 512 * 1000)
    kept = Expiry(holes, 0.0, 400_000)
    kept.look()
    first = json.loads(next(whole_lines(holes / "faces.jsonl")))["embedding"]["row"]
    vectors = np.fromfile(holes / "embeddings_128.f32", "<f4").reshape(-1, 128)
    files = [holes / "faces.jsonl", holes / "embeddings_128.f32"]
    assert 390_000 < sum(file.stat().st_size - first_data(file) for file in files) < 410_000
    assert not vectors[:first].any()
    assert vectors[first:].all()


def test_where_all_lines_are_old_their_vectors_go_but_for_one_whose_line_is_being_written(holes: Path):
    old = time.time_ns() - 2 * HOUR * 10**9
    (holes / "faces.jsonl").write_bytes(b"".join(line(old + row, row) for row in range(0, 100, 2)))
    (holes / "tracks.jsonl").write_bytes(b"".join(line(old + row, row) for row in range(1, 99, 2)))
    (holes / "embeddings_128.f32").write_bytes(b"\1" * 512 * 100)
    Expiry(holes, HOUR).look()
    vectors = np.fromfile(holes / "embeddings_128.f32", "<f4").reshape(-1, 128)
    assert [row for row in range(100) if vectors[row].any()] == [99]
