"""Tracks are stable on real footage, their ids never repeat, and streams do not touch each other."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import DetectConfig, TrackConfig
from engine.contracts.frames import Detections, FrameTime
from engine.detect.catalog import open_detector
from engine.track.tracker import Tracker
from tests.assets import shared
from tests.real_footage import frames

methods = pytest.mark.parametrize("method", ["bytetrack", "ocsort"])


def at(index: int, seconds: float | None = None) -> FrameTime:
    return FrameTime(index, index, (1, 25), index / 25 if seconds is None else seconds, 0)


def faces(*centres: tuple[float, float], side: float = 40.0, first_mark: float = 0.0) -> Detections:
    """Square faces; each carries its own score and a nose that names it."""
    count = len(centres)
    boxes = np.array([(x - side / 2, y - side / 2, side, side) for x, y in centres], np.float32).reshape(count, 4)
    marks = first_mark + np.arange(count)
    landmarks = np.broadcast_to(marks[:, None, None], (count, 5, 2)).astype(np.float32)
    return Detections(boxes, (0.95 - 0.1 * np.arange(count)).astype(np.float32), landmarks)


def ids() -> Callable[[], int]:
    return itertools.count(1000).__next__


def tracker(new_id: Callable[[], int] | None = None, rate: float = 25.0, **settings: object) -> Tracker:
    return Tracker(TrackConfig(**settings), rate, new_id or ids())  # type: ignore[arg-type]


@methods
def test_real_people_one_by_one(method: str):
    detector = open_detector(
        DetectConfig(detector=str(shared("models/face_detection_yunet_2023mar.onnx")), runtime="onnxruntime"), lambda name: None
    )
    follow = tracker(rate=10.0, method=method)
    seen: dict[int, list[float]] = {}
    ends = []
    for time, planes in frames(shared("video/one-by-one-person-detection.mp4"), first=750, last=870):
        (found,) = detector.detect([planes])
        tracked, over = follow.update(time, found)
        ends += over
        for face in tracked:
            seen.setdefault(face.track_id, []).append(time.pts_seconds)
            index = int(np.argmin(np.abs(found.boxes - face.box).sum(axis=1)))
            np.testing.assert_array_equal(found.boxes[index], face.box)
            np.testing.assert_array_equal(found.landmarks[index], face.landmarks)
            assert found.scores[index] == np.float32(face.score)
    ends += follow.reset()
    # Two people pass: one for eight seconds, the other for one. What was seen once may be a false alarm.
    long, short, *once = sorted(ends, key=lambda end: -end.frames_seen)
    assert [end.frames_seen for end in once] == [1] * len(once)
    assert long.frames_seen >= 60
    assert short.frames_seen >= 8
    assert {end.track_id: end.frames_seen for end in ends} == {key: len(value) for key, value in seen.items()}
    for end in ends:
        assert (end.span.first.pts_seconds, end.span.last.pts_seconds) == (seen[end.track_id][0], seen[end.track_id][-1])


@methods
def test_landmarks_and_scores_stay_with_their_face(method: str):
    follow = tracker(method=method)
    owner: dict[int, set[float]] = {}
    for index in range(20):
        # The better score changes sides: detections come in another order on every second frame.
        places = [(100.0 + 2 * index, 100.0), (300.0 - 2 * index, 220.0)]
        marks = [7.0, 8.0]
        if index % 2:
            places.reverse()
            marks.reverse()
        given = faces(*places)
        given = Detections(
            given.boxes, given.scores, np.array(marks, np.float32)[:, None, None] * np.ones((1, 5, 2), np.float32)
        )
        tracked, _ = follow.update(at(index), given)
        assert [face.score for face in tracked] == sorted((face.score for face in tracked), reverse=True)
        for face in tracked:
            assert face.landmarks is not None
            owner.setdefault(face.track_id, set()).add(float(face.landmarks[0, 0]))
    assert sorted(map(tuple, owner.values())) == [(7.0,), (8.0,)]


@methods
def test_unknown_landmarks_are_none(method: str):
    follow = tracker(method=method)
    without = faces((50, 50))
    without = Detections(without.boxes, without.scores, np.full((1, 5, 2), np.nan, np.float32))
    tracked = [face for index in range(5) for face in follow.update(at(index), without)[0]]
    assert len(tracked) >= 3
    assert {face.landmarks is None for face in tracked} == {True}


@methods
@pytest.mark.parametrize("min_detections", [1, 2, 4])
def test_a_track_begins_with_its_first_detection(method: str, min_detections: int):
    """Whether it may speak is not the tracker's to say."""
    follow = tracker(method=method, min_detections=min_detections)
    for index in range(20):
        follow.update(at(index), faces((300, 300)))
    found = faces((50, 50), (300, 300), (120, 200))
    tracked, _ = follow.update(at(20), found)
    assert [face.score for face in tracked] == found.scores.tolist()
    assert [tuple(face.box) for face in tracked] == [tuple(box) for box in found.boxes]
    (later,) = follow.update(at(21), faces((50, 50)))[0]
    assert later.track_id == tracked[0].track_id
    assert len({face.track_id for face in tracked}) == 3


def test_faceness_stays_with_its_face():
    follow = tracker()
    for index in range(4):
        found = faces((300 - index, 300), (50, 50))
        tracked, _ = follow.update(at(index), dataclasses.replace(found, faceness=np.float32([0.25, 0.75])))
        assert [(face.score, face.faceness) for face in tracked] == [(found.scores[0], 0.25), (found.scores[1], 0.75)]
    assert [face.faceness for face in follow.update(at(4), faces((50, 50)))[0]] == [None]


@methods
def test_frames_without_the_detector_are_bridged(method: str):
    follow = tracker(method=method)
    tracked: list[int] = []
    for index in range(60):
        detections = faces((60.0 + 3 * index, 100.0)) if index % 5 == 0 else None
        found, over = follow.update(at(index), detections)
        assert over == []
        assert detections is not None or found == []
        tracked += [face.track_id for face in found]
    assert len(set(tracked)) == 1
    assert len(tracked) >= 10
    (end,) = follow.reset()
    assert end.span.last.frame_index == 55


@methods
@pytest.mark.parametrize("lost_seconds", [0.5, 2.0])
@pytest.mark.parametrize("step_seconds", [0.04, 0.13])
def test_a_lost_track_ends_after_its_seconds_at_any_frame_rate(method: str, lost_seconds: float, step_seconds: float):
    follow = tracker(method=method, lost_seconds=lost_seconds)
    for index in range(5):
        follow.update(at(index, index * 0.04), faces((100, 100)))
    last, index = 4 * 0.04, 5
    seconds = last + step_seconds
    while not (over := follow.update(at(index, seconds), faces())[1]):
        index, seconds = index + 1, seconds + step_seconds
        assert seconds < 10
    assert lost_seconds < seconds - last + 0.04
    assert seconds - last <= lost_seconds + step_seconds + 0.04
    assert over[0].span.last.pts_seconds == last
    assert follow.reset() == []


@methods
def test_a_short_absence_keeps_the_track_and_a_long_one_does_not(method: str):
    follow = tracker(method=method, lost_seconds=1.0)

    def stay(first: int, last: int) -> set[int]:
        return {face.track_id for index in range(first, last) for face in follow.update(at(index), faces((100, 100)))[0]}

    before = stay(0, 10)
    for index in range(10, 20):
        assert follow.update(at(index), faces()) == ([], [])
    assert stay(20, 30) == before
    ends = [end for index in range(30, 80) for end in follow.update(at(index), faces())[1]]
    assert [end.track_id for end in ends] == list(before)
    assert stay(80, 90).isdisjoint(before)


@methods
def test_time_stamps_that_stand_still_or_go_back(method: str):
    follow = tracker(method=method)
    stamps = [0.0, 0.04, 0.04, 0.04, 0.02, 0.08, 0.12, 0.16]
    tracked = [
        face.track_id for index, stamp in enumerate(stamps) for face in follow.update(at(index, stamp), faces((9, 9)))[0]
    ]
    assert len(tracked) >= 6
    assert len(set(tracked)) == 1


@methods
def test_a_reset_of_one_stream_leaves_the_others_alone(method: str):
    new_id = ids()
    one, two = tracker(new_id, method=method), tracker(new_id, method=method)

    def step(which: Tracker, index: int) -> list[int]:
        return [face.track_id for face in which.update(at(index), faces((100, 100), (300, 100)))[0]]

    for index in range(4):
        step(one, index), step(two, index)
    before_one, before_two = set(step(one, 4)), set(step(two, 4))
    assert before_one.isdisjoint(before_two)
    assert {end.track_id for end in one.reset()} == before_one
    for index in range(4):
        step(one, index)
        assert set(step(two, 5 + index)) == before_two
    after = set(step(one, 4))
    assert len(after) == 2
    assert after.isdisjoint(before_one | before_two)
    assert {end.track_id for end in two.reset()} == before_two
    assert two.reset() == []


places = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 4)), max_size=4, unique=True)
step_kinds = st.one_of(places, st.none(), st.just("reset"))


@settings(max_examples=60)
@given(
    script=st.lists(st.tuples(st.integers(0, 1), step_kinds), max_size=80),
    method=st.sampled_from(["bytetrack", "ocsort"]),
)
def test_any_sequence_keeps_the_books(script: list, method: str):
    """Each id belongs to one tracker, lives once without a gap in its books, and ends exactly once."""
    new_id = ids()
    follow = [tracker(new_id, method=method, lost_seconds=0.2) for _ in range(2)]
    open_tracks: list[dict[int, int]] = [{}, {}]
    finished: set[int] = set()
    for index, (which, step) in enumerate([*script, (0, "reset"), (1, "reset")]):
        mine = open_tracks[which]
        if step == "reset":
            ends = follow[which].reset()
        else:
            detections = None if step is None else faces(*((30.0 * x, 60.0 * y) for x, y in step))
            tracked, ends = follow[which].update(at(index), detections)
            assert len({face.track_id for face in tracked}) == len(tracked)
            assert step is not None or (tracked, ends) == ([], [])
            for face in tracked:
                assert face.track_id not in finished
                assert face.track_id not in open_tracks[1 - which]
                mine[face.track_id] = mine.get(face.track_id, 0) + 1
        for end in ends:
            assert end.frames_seen == mine.pop(end.track_id)
            assert end.span.first.frame_index <= end.span.last.frame_index
            finished.add(end.track_id)
        if step == "reset":
            assert mine == {}


@pytest.mark.parametrize("rate", [0.0, -5.0, float("nan"), float("inf")])
def test_a_frame_rate_is_positive(rate: float):
    with pytest.raises(ValueError, match="frame rate must be positive"):
        tracker(rate=rate)


def test_a_doubtful_face_continues_a_track_but_begins_none():
    follow = Tracker(TrackConfig(), 25.0, ids(), 0.63)
    seen = []
    for number, score in enumerate([0.58] * 6 + [0.7] * 2 + [0.58] * 6):
        found = faces((100.0 + number, 100.0))
        found = Detections(found.boxes, np.float32([score]), found.landmarks)
        tracked, _ = follow.update(at(number), found)
        seen.append(len(tracked))
    assert not any(seen[:6])
    assert all(seen[6:])
