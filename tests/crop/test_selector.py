from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import CropConfig
from engine.contracts.frames import Frame, FrameTime, Planes, TrackedFace
from engine.crop.quality import assess
from engine.crop.selector import CLEARLY_BETTER, THINNED_GAP_SECONDS, Selector
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
    gone = ("faces.selected", "faces.outranked", "faces.thinned", "faces.too_small", "faces.outside")
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


@cache
def score_of(detection_score: float) -> float:
    found = face(1, detection_score)
    return assess(PLANES, found.box, found.landmarks, detection_score).score


@settings(max_examples=40, deadline=None)
@given(walks)
def test_prompt_gives_the_first_of_each_interval_at_once_and_any_that_is_clearly_better(walk):
    selector = Selector(CropConfig(policy="prompt", interval_seconds=1.0))
    begun: dict[int, int] = {}
    best: dict[tuple[int, int], float] = {}
    for index, faces in enumerate(walk):
        expected = []
        for track, score in faces.items():
            interval = track, (index - begun.setdefault(track, index)) // 4
            if interval not in best or score_of(score) >= best[interval] * CLEARLY_BETTER:
                best[interval] = score_of(score)
                expected.append((track, index))
        crops = selector.offer(frame_of(PLANES, index, index / 4), [face(*item) for item in faces.items()])
        assert [(crop.track_id, crop.time.frame_index) for crop in crops] == expected
        assert balance(selector) == 0
    assert selector.counters["faces.thinned"] == 0
    assert [crop for track in begun for crop in selector.close_track(track)] == selector.drain() == []


@settings(max_examples=40, deadline=None)
@given(walks)
def test_interval_gives_the_first_best_face_of_each_interval(walk):
    selector = Selector(CropConfig(policy="interval", interval_seconds=1.0))
    got = []
    for index, faces in enumerate(walk):
        crops = selector.offer(frame_of(PLANES, index, index / 4), [face(track, score) for track, score in faces.items()])
        for crop in crops:
            assert index / 4 >= crop.time.pts_seconds + 0.25
        got += crops
    got += selector.drain()

    begun: dict[int, int] = {}
    groups: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    for index, faces in enumerate(walk):
        for track, score in faces.items():
            begun.setdefault(track, index)
            groups[track, (index - begun[track]) // 4].append((-score, index))
    expected = {(track, min(group)[1]) for (track, _), group in groups.items()}
    assert {(crop.track_id, crop.time.frame_index) for crop in got} == expected
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
        assert [crop.time.frame_index for crop in crops] == sorted(crop.time.frame_index for crop in crops)
        assert selector.close_track(track) == []
    assert selector.drain() == []
    assert balance(selector) == 0


def test_time_alone_closes_an_interval_but_only_of_its_own_stream():
    selector = Selector(CropConfig(policy="interval", interval_seconds=1.0))
    assert selector.offer(frame_of(PLANES, 0, 10.0), [face(1, 0.9)]) == []
    assert selector.offer(frame_of(PLANES, 0, 99.0, stream="cam2"), [face(2, 0.9)]) == []
    assert selector.offer(frame_of(PLANES, 9, 10.99), []) == []
    due = selector.offer(frame_of(PLANES, 10, 11.0), [])
    assert [(crop.stream, crop.track_id, crop.time.frame_index) for crop in due] == [("cam1", 1, 0)]
    assert [crop.stream for crop in selector.drain()] == ["cam2"]


def test_time_that_steps_back_stays_in_the_open_interval():
    selector = Selector(CropConfig(policy="interval"))
    selector.offer(frame_of(PLANES, 0, 5.0), [face(1, 0.5)])
    assert selector.offer(frame_of(PLANES, 1, 3.0), [face(1, 0.6)]) == []
    assert [crop.time.frame_index for crop in selector.close_track(1)] == [1]


def test_close_track_leaves_the_other_tracks():
    selector = Selector(CropConfig(policy="interval"))
    selector.offer(frame_of(PLANES), [face(1, 0.5), face(2, 0.5)])
    assert [crop.track_id for crop in selector.close_track(2)] == [2]
    assert [crop.track_id for crop in selector.drain()] == [1]
    assert selector.close_track(1) == []


@pytest.mark.parametrize("policy", ["every", "prompt", "interval", "best"])
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
    assert [crop.time.frame_index for crop in selector.drain()] == [1]


def test_auto_is_prompt_for_cameras_and_interval_for_recordings():
    assert Selector(CropConfig(), live=True).policy == "prompt"
    assert Selector(CropConfig()).policy == "interval"
    assert Selector(CropConfig(policy="best"), live=True).policy == "best"


@pytest.mark.parametrize("live", [True, False])
def test_crops_say_where_they_come_from_and_when_the_camera_took_them(live):
    frame = frame_of(PLANES)
    time = FrameTime(0, 0, (1, 90000), 0.0, 1_700_000_000_000_000_000, ntp_ns=1_699_999_999_900_000_000)
    (crop,) = Selector(CropConfig(policy="every"), live=live).offer(Frame("cam1", time, frame.planes), [face(1, 0.9)])
    assert (crop.live, crop.time.ntp_ns) == (live, 1_699_999_999_900_000_000)


thinnings = st.lists(st.sampled_from([1.0, 1.5, 2.0, 4.0]), min_size=14, max_size=14)


@settings(max_examples=60, deadline=None)
@given(walks, thinnings, st.sampled_from(["every", "prompt", "interval", "best"]))
def test_the_counters_add_up_however_thinning_changes(walk, changes, policy):
    selector = Selector(CropConfig(policy=policy, interval_seconds=0.5, top_k=2))
    held: dict[int, int] = defaultdict(int)
    for index, (faces, thinning) in enumerate(zip(walk, changes, strict=False)):
        selector.thinning = thinning
        crops = selector.offer(frame_of(PLANES, index, index / 4), [face(*item) for item in faces.items()])
        for track in faces:
            held[track] += policy in ("interval", "best")
        assert balance(selector) <= sum(min(seen, 2 if policy == "best" else 1) for seen in held.values())
        if policy in ("every", "prompt"):
            assert balance(selector) == 0
            assert all(crop.time.frame_index == index for crop in crops)
    selector.drain()
    assert balance(selector) == 0
    if policy == "best" or set(changes[: len(walk)]) == {1.0}:
        assert selector.counters["faces.thinned"] == 0


def offer_steadily(selector: Selector, first: int, last: int, score: float = 0.5) -> list[float]:
    """Offer one face in each frame of 0.1 s and return when the returned ones were seen."""
    crops = []
    for index in range(first, last):
        crops += selector.offer(frame_of(PLANES, index, index / 10), [face(1, score)])
    return [crop.time.pts_seconds for crop in crops]


@pytest.mark.parametrize("policy", ["prompt", "interval"])
def test_thinning_makes_intervals_longer_and_ends_at_once(policy):
    selector = Selector(CropConfig(policy=policy, interval_seconds=1.0))
    times = offer_steadily(selector, 0, 40)
    selector.thinning = 2.0
    times += offer_steadily(selector, 40, 80)
    assert selector.counters["faces.thinned"] == 2
    selector.thinning = 1.0
    times += offer_steadily(selector, 80, 120)
    times += [crop.time.pts_seconds for crop in selector.drain()]
    assert times == [0, 1, 2, 3, 5, 7, 8, 9, 10, 11]  # the interval that was open at 4 s became longer, too
    assert selector.counters["faces.thinned"] == 2
    assert balance(selector) == 0


def test_recovery_in_the_middle_of_a_long_interval_needs_no_waiting():
    selector = Selector(CropConfig(policy="prompt", interval_seconds=1.0))
    selector.thinning = 8.0
    assert offer_steadily(selector, 0, 25) == [0]
    selector.thinning = 1.0
    assert offer_steadily(selector, 25, 45) == [2.5, 3, 4]


def test_thinning_asks_more_of_a_better_face():
    for thinning, sent in ((1.0, [0, 1, 2, 3]), (2.0, [0, 2])):
        selector = Selector(CropConfig(policy="prompt", interval_seconds=10.0))
        selector.thinning = thinning
        scores = [0.2, 0.26, 0.34, 0.44]
        crops = [selector.offer(frame_of(PLANES, i, i / 10), [face(1, score)]) for i, score in enumerate(scores)]
        assert [crop.time.frame_index for due in crops for crop in due] == sent
        assert selector.counters["faces.thinned"] == 4 - len(sent)
        assert balance(selector) == 0


def test_thinning_keeps_a_distance_where_every_face_is_wanted():
    selector = Selector(CropConfig(policy="every"))
    selector.thinning = 3.0
    times = offer_steadily(selector, 0, 30)
    assert all(after - before >= 2 * THINNED_GAP_SECONDS - 1e-9 for before, after in pairwise(times))
    assert len(times) >= 6
    assert selector.counters["faces.thinned"] == 30 - len(times)
    selector.thinning = 1.0
    assert len(offer_steadily(selector, 30, 40)) == 10
    selector.thinning = 3.0
    assert offer_steadily(selector, 0, 1) == [0]  # a clock that stepped back does not shut the track out


def test_closed_tracks_leave_nothing_behind():
    for policy in ("every", "prompt", "interval", "best"):
        selector = Selector(CropConfig(policy=policy))
        for track in range(200):
            selector.offer(frame_of(PLANES, track, track / 10), [face(track, 0.5)])
            selector.close_track(track)
        assert selector._tracks == {}


@pytest.mark.parametrize("policy", ["interval", "prompt"])
def test_an_interval_has_as_many_frames_wherever_it_begins(policy: str):
    chosen = set()
    for start in range(12):
        selector = Selector(CropConfig(policy=policy, interval_seconds=0.6))  # type: ignore[arg-type]
        crops = [
            crop
            for index in range(start, start + 10)
            for crop in selector.offer(frame_of(PLANES, index, index / 5), [face(1, 0.9)])
        ]
        chosen.add(tuple(crop.time.frame_index - start for crop in crops))
    assert chosen == {(0, 3, 6) if policy == "interval" else (0, 3, 6, 9)}
