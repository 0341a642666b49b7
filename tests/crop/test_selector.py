from __future__ import annotations

from collections import defaultdict

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import CropConfig
from engine.contracts.frames import Planes, TrackedFace
from engine.crop.selector import Selector
from tests.crop.photographs import face_of, frame_of, planes_of


def small_planes() -> Planes:
    """The astronaut's face alone, so that offering it is cheap."""
    planes = planes_of("astronaut")
    return Planes(planes.y[40:200, 150:300], planes.u[20:100, 75:150], planes.v[20:100, 75:150])


PLANES = small_planes()


def face(track_id: int, score: float) -> TrackedFace:
    found = face_of("astronaut")
    corner = np.array([150, 40], np.float32)
    return TrackedFace(track_id, found.box - np.array([150, 40, 0, 0], np.float32), found.landmarks - corner, score)


def balance(selector: Selector) -> int:
    """Faces that are neither selected nor dropped."""
    counters = selector.counters
    gone = ("faces.selected", "faces.outranked", "faces.too_small", "faces.outside")
    return counters["faces.offered"] - sum(counters[name] for name in gone)


# frames of 0.25 s: the faces of each, as track and detector score (which alone makes the difference in quality here)
walks = st.lists(
    st.dictionaries(st.integers(1, 3), st.integers(1, 100).map(lambda value: value / 100), max_size=3), min_size=1, max_size=14
)


@settings(max_examples=25, deadline=None)
@given(walks)
def test_every_passes_all_faces_on_at_once(walk):
    selector = Selector(CropConfig(policy="every"))
    for index, faces in enumerate(walk):
        crops = selector.offer(frame_of(PLANES, index, index / 4), [face(track, score) for track, score in faces.items()])
        assert [(crop.track_id, crop.detection_score) for crop in crops] == list(faces.items())
    assert selector.drain() == []
    assert balance(selector) == 0


@settings(max_examples=40, deadline=None)
@given(walks)
def test_interval_gives_the_first_best_face_of_each_interval(walk):
    selector = Selector(CropConfig(policy="interval", interval_seconds=1.0))
    got = []
    for index, faces in enumerate(walk):
        crops = selector.offer(frame_of(PLANES, index, index / 4), [face(track, score) for track, score in faces.items()])
        for crop in crops:
            assert index / 4 >= crop.pts_seconds + 0.25
        got += crops
    got += selector.drain()

    begun: dict[int, int] = {}
    groups: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    for index, faces in enumerate(walk):
        for track, score in faces.items():
            begun.setdefault(track, index)
            groups[track, (index - begun[track]) // 4].append((-score, index))
    expected = {(track, min(group)[1]) for (track, _), group in groups.items()}
    assert {(crop.track_id, crop.frame_index) for crop in got} == expected
    assert len(got) == len(expected)
    assert balance(selector) == 0


@settings(max_examples=40, deadline=None)
@given(walks, st.integers(1, 4))
def test_best_keeps_the_top_k_of_each_track_until_it_closes(walk, top_k):
    selector = Selector(CropConfig(policy="best", top_k=top_k))
    scores: dict[int, list[float]] = defaultdict(list)
    for index, faces in enumerate(walk):
        assert selector.offer(frame_of(PLANES, index, index / 4), [face(*item) for item in faces.items()]) == []
        for track, score in faces.items():
            scores[track].append(score)
        assert balance(selector) == sum(min(top_k, len(seen)) for seen in scores.values())
    for track, seen in scores.items():
        crops = selector.close_track(track)
        assert sorted(crop.detection_score for crop in crops) == sorted(seen)[-top_k:]
        assert [crop.frame_index for crop in crops] == sorted(crop.frame_index for crop in crops)
        assert selector.close_track(track) == []
    assert selector.drain() == []
    assert balance(selector) == 0


def test_time_alone_closes_an_interval_but_only_of_its_own_stream():
    selector = Selector(CropConfig(policy="interval", interval_seconds=1.0))
    assert selector.offer(frame_of(PLANES, 0, 10.0), [face(1, 0.9)]) == []
    assert selector.offer(frame_of(PLANES, 0, 99.0, stream="cam2"), [face(2, 0.9)]) == []
    assert selector.offer(frame_of(PLANES, 9, 10.99), []) == []
    due = selector.offer(frame_of(PLANES, 10, 11.0), [])
    assert [(crop.stream, crop.track_id, crop.frame_index) for crop in due] == [("cam1", 1, 0)]
    assert [crop.stream for crop in selector.drain()] == ["cam2"]


def test_time_that_steps_back_stays_in_the_open_interval():
    selector = Selector(CropConfig(policy="interval"))
    selector.offer(frame_of(PLANES, 0, 5.0), [face(1, 0.5)])
    assert selector.offer(frame_of(PLANES, 1, 3.0), [face(1, 0.6)]) == []
    assert [crop.frame_index for crop in selector.close_track(1)] == [1]


def test_close_track_leaves_the_other_tracks():
    selector = Selector(CropConfig(policy="interval"))
    selector.offer(frame_of(PLANES), [face(1, 0.5), face(2, 0.5)])
    assert [crop.track_id for crop in selector.close_track(2)] == [2]
    assert [crop.track_id for crop in selector.drain()] == [1]
    assert selector.close_track(1) == []


@pytest.mark.parametrize("policy", ["every", "interval", "best"])
def test_small_faces_are_counted_and_large_ones_kept(policy):
    selector = Selector(CropConfig(policy=policy, min_size_px=20, max_size_px=30))
    tiny = TrackedFace(1, np.array([40, 40, 10, 30], np.float32), None, 0.9)
    selected = selector.offer(frame_of(PLANES), [tiny, face(2, 0.9)]) + selector.drain()
    assert [crop.track_id for crop in selected] == [2]
    assert selected[0].quality.size_px > 30
    assert selector.counters["faces.too_small"] == 1
    assert balance(selector) == 0


def test_faces_outside_the_picture_are_counted():
    selector = Selector(CropConfig(policy="best"))
    gone = TrackedFace(1, np.array([900, 40, 50, 50], np.float32), None, 0.9)
    assert selector.offer(frame_of(PLANES), [gone]) + selector.drain() == []
    assert selector.counters == {"faces.offered": 1, "faces.outside": 1, "faces.selected": 0}


def test_the_sharp_frontal_face_wins_over_its_blurred_and_smaller_copies():
    selector = Selector(CropConfig(policy="best", top_k=1))
    soft = Planes(cv2.GaussianBlur(PLANES.y, (0, 0), 3), PLANES.u, PLANES.v)
    for index, planes in enumerate((soft, PLANES, soft)):
        selector.offer(frame_of(planes, index, index / 25), [face(1, 0.9)])
    assert [crop.frame_index for crop in selector.drain()] == [1]
