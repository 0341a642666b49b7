"""The order of tracks, and their times."""

import json
from contextlib import closing

import msgspec
import pytest

from engine.contracts.findings import Basis
from engine.report.page import write_report
from engine.report.time_line import time_lines
from engine.report.track_index import TrackIndex
from engine.report.track_tables import Group
from tests.report.test_track_selection import FACE, TRACK

EPOCH_NS = 1_772_370_300_000_000_000


def write(directory, tracks, faces=()):
    for name, lines in (("tracks.jsonl", tracks), ("faces.jsonl", faces)):
        (directory / name).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    return directory


def track(track_id, decision="known", name="Ada", ratio=1.0, first=0.0, **changes):
    candidate = msgspec.structs.replace(TRACK.candidates[0], identity=name, log10_lr=ratio)
    changes |= {"track_id": track_id, "decision": decision, "candidates": [candidate], "first_pts_seconds": first}
    return msgspec.structs.replace(TRACK, last_pts_seconds=first + 1, **changes)


def face(track_id, seconds, score=0.5, **changes):
    quality = msgspec.structs.replace(FACE.quality, score=score)
    return msgspec.structs.replace(FACE, track_id=track_id, pts_seconds=seconds, quality=quality, **changes)


def test_people_with_the_most_evidence_come_first_then_what_may_be_somebody_then_strangers_who_come_again(tmp_path):
    tracks = [
        track(1, name="Bob", ratio=2.0, first=5.0),
        track(2, name="Ada", ratio=1.0, first=9.0),
        track(3, name="Ada", ratio=4.0, first=20.0),
        track(4, "undecided", ratio=0.5),
        track(5, "undecided", ratio=1.5),
        track(6, "undecided", ratio=-1.0),
        track(7, "unknown", ratio=-1.0),
        track(8, "unknown", ratio=-1.0),
        track(9, "unknown", ratio=-1.0),
        track(10, "unknown", ratio=-1.0),
    ]
    faces = [face(track_id, float(at)) for track_id, count in ((7, 1), (8, 1), (9, 5), (10, 1)) for at in range(count)]
    groups = {("cam1", number): Group(f"Visitor {1 if number == 7 else 2}") for number in (7, 8, 10)}
    with closing(TrackIndex(write(tmp_path, tracks, faces), groups)) as index:
        found = [(one.section, one.track_id, one.group) for one in index.tracks()]
        assert [(one.identity, one.tracks, one.place) for one in index.persons()] == [("Ada", 2, 1), ("Bob", 1, 3)]
        assert index.has_ratios
    assert found == [
        ("named", 2, ""), ("named", 3, ""), ("named", 1, ""), ("undecided", 5, ""), ("undecided", 4, ""),
        ("recurring", 8, "Visitor 2"), ("recurring", 10, "Visitor 2"), ("recurring", 7, "Visitor 1"),
        ("others", 9, ""), ("others", 6, ""),
    ]  # fmt: skip


def test_what_is_half_read_may_outlive_the_index(tmp_path):
    with closing(TrackIndex(write(tmp_path, [track(1), track(2)]))) as index:
        half = index.tracks()
        next(half)
    half.close()  # as when the disk is full in the middle of a report


def live_attempts(tmp_path):
    """A camera that was attached twice: its seconds began anew, an hour later."""
    tracks = [track(1, first=10.0), track(2, first=10.0)]
    faces = [face(number, 10.5, live=True, captured_ns=EPOCH_NS + number * 3600 * 10**9) for number in (1, 2)]
    return write(tmp_path, tracks, faces)


def test_of_a_camera_time_is_that_of_the_clock_on_the_wall(tmp_path):
    with closing(TrackIndex(live_attempts(tmp_path))) as index:
        spans = [one.clock_ns for one in index.tracks()]
    assert [(round((first - EPOCH_NS) / 1e8), round((last - EPOCH_NS) / 1e8)) for first, last in spans] == [
        (35_995, 36_005), (71_995, 72_005)
    ]  # fmt: skip


def test_attempts_do_not_overlap_on_the_time_line(tmp_path):
    with closing(TrackIndex(live_attempts(tmp_path))) as index:
        drawn = time_lines(index.tracks(), index.tracks(), index.streams())
    assert 'd="M0 0h1v4h-1zM299 0h1v4h-1z"' in drawn
    assert "clock time, " in drawn


@pytest.mark.parametrize("ended", [True, False])
def test_a_recording_without_a_clock_has_its_seconds(tmp_path, ended):
    tracks = [track(1, first=0.0, ended=ended), track(2, "unknown", first=9.0, ended=ended)]
    with closing(TrackIndex(write(tmp_path, tracks, [face(1, 0.0)]))) as index:
        assert [one.clock_ns for one in index.tracks()] == [None, None]
        drawn = time_lines(index.tracks(), index.tracks(), index.streams())
    assert "time in each recording" in drawn
    assert 'class="known" d="M0 0h31v4h-31z"' in drawn
    assert 'class="unknown" d="M270 6h30v2h-30z"' in drawn
    assert "key unknown" in drawn
    assert "key undecided" not in drawn, "what is not there needs no colour"


def test_a_card_has_the_whole_picture_with_the_box_of_the_face(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"run_id": "run1"}))
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "scene.jpg").write_bytes(b"scene")
    seen = msgspec.to_builtins(face(1, 0.0, box=(96.0, 54.0, 96.0, 108.0), width_px=960, height_px=540))
    (tmp_path / "faces.jsonl").write_text(json.dumps(seen | {"files": {"scene": "faces/scene.jpg"}}) + "\n")
    page = write_report(tmp_path).read_text()
    assert '<i class="box" style="left:10.00%;top:10.00%;width:10.00%;height:20.00%"></i>' in page
    assert "the whole picture, 960 x 540 px, at 00:00:00.0" in page


def test_a_ratio_that_says_nothing_either_way_is_no_evidence_for_somebody(tmp_path):
    tracks = [track(1, "undecided", ratio=0.29), track(2, "undecided", ratio=0.31), track(3, "undecided", ratio=0.1)]
    with closing(TrackIndex(write(tmp_path, tracks), {("cam1", 3): Group("Visitor")})) as index:
        found = [(one.section, one.track_id) for one in index.tracks()]
    assert found == [("undecided", 2), ("recurring", 3), ("others", 1)]


def test_without_a_ratio_a_likeness_is_evidence_for_somebody(tmp_path):
    with closing(TrackIndex(write(tmp_path, [track(1, "undecided", ratio=None)]))) as index:
        assert [one.section for one in index.tracks()] == ["undecided"]


def test_a_whole_picture_of_another_face_than_the_best_one_says_when_that_was(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"run_id": "run1"}))
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "scene.jpg").write_bytes(b"scene")
    early = msgspec.to_builtins(face(1, 0.0, box=(96.0, 54.0, 96.0, 108.0), width_px=960, height_px=540))
    early |= {"files": {"scene": "faces/scene.jpg"}}
    late = msgspec.to_builtins(face(1, 4.1, score=0.6, seq=2))
    (tmp_path / "faces.jsonl").write_text(f"{json.dumps(early)}\n{json.dumps(late)}\n")
    page = write_report(tmp_path).read_text()
    assert "the whole picture, 960 x 540 px, at 00:00:00.0 (best face at 00:00:04.1)" in page
    assert "<dt>best at</dt><dd>00:00:04.1</dd>" in page


def test_whom_people_named_stands_there_with_who_named_them_and_is_never_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.report.page._MOST_ROWS", 0)
    (tmp_path / "run.json").write_text(json.dumps({"run_id": "run1"}))
    tracks = [track(1), track(2, "none"), track(3, "undecided"), track(4, "unknown")]
    groups = {
        ("cam1", 1): Group("Bea", "named by me"),
        ("cam1", 2): Group("Bea", "named by me & you"),
        ("cam1", 3): Group("Cid", "named by me"),
    }
    with closing(TrackIndex(write(tmp_path, tracks), groups)) as index:
        found = [(one.section, one.track_id) for one in index.tracks()]
    assert found == [("named", 1), ("called", 2), ("called", 3), ("others", 4)]
    page = write_report(tmp_path, max_tracks=2, groups=groups).read_text()
    assert "Named by people <small>2</small>" in page
    assert '<h3><bdi>Bea</bdi> <span class="badge known"><bdi>named by me &amp; you</bdi></span></h3>' in page
    assert '<b><bdi>Cid</bdi> <span class="badge known"><bdi>named by me</bdi></span></b>' in page
    otherwise = '<span class="badge undecided"><bdi>Bea</bdi>: <bdi>named by me</bdi></span></h3>'
    assert page.count(f'<span class="badge known">known</span> {otherwise}') == 1, "who contradicts the run is not passed over"
    groups = {("cam1", 1): Group("ADA", "named by me")}
    assert "ADA" not in write_report(tmp_path, groups=groups).read_text(), "the same name is said once"
    assert "Strangers seen more than once" not in page


@pytest.mark.parametrize("known", ["first_recorded_ns", "last_recorded_ns"])
@pytest.mark.parametrize("at_ns", [EPOCH_NS, -(2**63)])
def test_half_of_a_wall_clock_span_tells_nothing(tmp_path, known, at_ns):
    spans = {"first_recorded_ns": None, "last_recorded_ns": None}
    with closing(TrackIndex(write(tmp_path, [track(1, **spans | {known: at_ns})]))) as index:
        assert index._database.execute("SELECT clock_first, clock_last FROM tracks").fetchall() == [(None, None)]


def test_a_person_whose_best_ratio_is_the_highest_that_can_be_shown_is_told_apart(tmp_path):
    basis = Basis(4, 2, 30.0, None, 0.5, None, 0.01, log10_lr_bounds=(-1.5, 2.0))
    wider = msgspec.structs.replace(basis, log10_lr_bounds=(-1.5, 4.0))
    tracks = [
        track(1, name="Ada", ratio=2.0, basis=basis),
        track(2, name="Bob", ratio=2.0, basis=basis),
        track(3, name="Bob", ratio=3.0, basis=wider),
        track(4, name="Cid", ratio=2.0),
    ]
    with closing(TrackIndex(write(tmp_path, tracks))) as index:
        assert {one.identity: one.at_bound for one in index.persons()} == {"Ada": True, "Bob": False, "Cid": False}
