"""What is left of a track that was not believed: its likeliest look, if it came near."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.config import Config
from engine.contracts.frames import Detections, Frame, FrameTime, Planes
from engine.contracts.rejected import TrackRejected
from engine.crop.cut import cut_face
from engine.detect.second_look import Faceness
from engine.perception import near_misses
from engine.perception.stream_faces import StreamFaces
from engine.runtime.telemetry import Telemetry

ALONE = Faceness(refused_below=0.2, accepted_from=0.7, alone_from=0.9)
TOGETHER = Faceness(0.2, 0.2, 0.2, score_from=0.7, evidence=90.0, score_alone_from=0.95, missed=0.0)
WRITTEN = replace(Config(), output=replace(Config().output, directory="out"))


def seen(score: float, faceness: float = 0.5) -> Detections:
    box = np.array([[40, 40, 40, 50]], np.float32)
    each = np.ones(1, np.float32)
    return Detections(box, score * each, np.full((1, 5, 2), np.nan, np.float32), faceness * each)


def rejected_of(looks, limits=TOGETHER, config=WRITTEN) -> list[TrackRejected]:
    faces, found = StreamFaces("cam", config, 25.0, count(1).__next__, 0.3, limits, live=False), []
    for number, look in enumerate(looks):
        luma = np.full((240, 320), number, np.uint8)
        planes = Planes(luma, luma[::2, ::2].copy(), luma[::2, ::2].copy())
        frame = Frame("cam", FrameTime(number, number, (1, 25), number / 25, 0), planes)
        found += faces.update(frame, look, Telemetry("perceive"))
    found += faces.cut()
    assert faces._near_misses is None or not faces._near_misses._best, "nothing stays of tracks that are over"
    return [item for item in found if isinstance(item, TrackRejected)]


def test_a_track_that_came_near_leaves_its_likeliest_look():
    [track] = rejected_of([seen(0.72), seen(0.85), seen(0.8), seen(0.6)])
    assert (track.stream, track.track_id, track.looks, track.crop.time.frame_index) == ("cam", 1, 4, 1)
    assert track.score == pytest.approx(0.85)
    assert track.crop.box == (40, 40, 40, 50)
    assert (track.crop.planes.y == 1).all(), "its pixels are of that frame, as they were"
    x, y, width, height = track.crop.crop_box
    assert (x < 40, y < 40, x + width > 80, y + height > 90) == (True,) * 4, "with its margin"


@pytest.mark.parametrize(
    ("looks", "limits", "why"),
    [
        ([seen(0.69)] * 5, TOGETHER, "no look spoke for it"),
        ([seen(0.8, faceness=0.1)] * 5, TOGETHER, "clearly of no face"),
        ([seen(0.8), seen(0.99), seen(0.8)], TOGETHER, "it was accepted"),
        ([seen(0.9, faceness=0.1)] * 5, ALONE, "clearly of no face"),
        ([seen(0.9, faceness=0.8)] * 5, ALONE, "it was accepted"),
    ],
)
def test_others_leave_nothing(looks, limits, why):
    assert rejected_of(looks, limits) == [], why


def test_without_a_score_of_both_the_faceness_counts():
    [track] = rejected_of([seen(0.9, faceness=0.3), seen(0.5, faceness=0.6), seen(0.99, faceness=0.4)], ALONE)
    assert track.score == pytest.approx(0.6)
    assert track.crop.time.frame_index == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"output": {"directory": ""}},
        {"output": {"rejected_pictures": 0}},
        {"publish": {"redact": "blur"}},
        {"publish": {"redact": "vectors"}},
        {"publish": {"parts": ("embedding",)}},
    ],
)
def test_there_are_none_where_no_picture_of_a_face_is_to_be_kept(changes):
    sections = {name: replace(getattr(WRITTEN, name), **values) for name, values in changes.items()}
    assert rejected_of([seen(0.8)], config=replace(WRITTEN, **sections)) == []


@settings(deadline=None, max_examples=50)
@given(scores=st.lists(st.integers(70, 121).map(lambda part: part / 128), min_size=1, max_size=30))
def test_a_face_is_cut_only_where_it_is_likelier_than_the_one_that_is_held(scores):
    cuts = []

    def cutting(*arguments):
        cuts.append(arguments)
        return cut_face(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_misses, "cut_face", cutting)
        found = rejected_of([seen(score) for score in scores])
    near = [score for score in scores if score >= TOGETHER.near_from]
    assert len(cuts) == sum(score > max(near[:at], default=0.0) for at, score in enumerate(near))
    assert [track.score for track in found] == ([max(near)] if near else [])
    assert all(track.crop.time.frame_index == scores.index(max(near)) for track in found)
