"""Recordings that are too short for a track still give their faces."""

from __future__ import annotations

from itertools import count

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.config import Config, TrackConfig
from engine.contracts.frames import Detections, Frame, FrameTime, Planes
from engine.contracts.links import FaceCrop, TrackClosed
from engine.pipeline.stream_faces import StreamFaces
from engine.runtime.telemetry import Telemetry

NOTHING = Detections.empty()


def faces_at(*places: float, score: float = 0.9) -> Detections:
    boxes = np.array([[x, 40, 40, 50] for x in places], np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(len(boxes), score, np.float32), np.full((len(boxes), 5, 2), np.nan, np.float32))


def picture_of(scene: int) -> np.ndarray:
    coarse = np.random.default_rng(scene).integers(0, 255, (24, 32)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


class Stream:
    def __init__(self, *, live: bool = False, resumed: bool = False, first: int = 0, **track: object) -> None:
        config = replace(Config(), track=replace(TrackConfig(), **track))
        self.faces = StreamFaces("cam", config, 25.0, count(1).__next__, 0.6, live=live, resumed=resumed)
        self.out: list[FaceCrop | TrackClosed] = []
        self._number = first

    def show(self, *detections: Detections | None, scene: int = 0, damaged: bool = False) -> Stream:
        for found in detections:
            number, self._number = self._number, self._number + 1
            picture = picture_of(scene)
            planes = Planes(picture, picture[::2, ::2].copy(), picture[::2, ::2].copy())
            frame = Frame("cam", FrameTime(number, number, (1, 25), number / 25, 0), planes, damaged=damaged)
            self.out += self.faces.update(frame, found, Telemetry("perceive"))
            picture[:] = 0  # as the slot is used again
        return self

    def end(self) -> tuple[int, int]:
        """Return how many faces and tracks came."""
        self.out += self.faces.cut()
        tracks = [item.track_id for item in self.out if isinstance(item, TrackClosed)]
        assert len(set(tracks)) == len(tracks)
        assert {item.track_id for item in self.out if isinstance(item, FaceCrop)} <= set(tracks)
        return sum(isinstance(item, FaceCrop) for item in self.out), len(tracks)


@pytest.mark.parametrize("method", ["bytetrack", "ocsort"])
@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([faces_at(40)], (1, 1)),
        ([faces_at(40, 200)], (2, 2)),
        ([NOTHING], (0, 0)),
        ([faces_at(40, score=0.55)], (0, 0)),
        ([faces_at(40), NOTHING], (0, 0)),
        ([NOTHING, faces_at(40)], (0, 0)),
        ([faces_at(40), None, None], (1, 1)),
        ([faces_at(40), faces_at(41)], (1, 1)),
        ([faces_at(40), faces_at(41), faces_at(42), faces_at(250)], (1, 1)),
    ],
)
def test_only_where_fewer_frames_were_looked_at_than_a_track_needs(method, shown, expected):
    """A second frame without the face is what makes it a false alarm."""
    assert Stream(method=method).show(*shown).end() == expected


def test_the_picture_is_kept_after_its_slot_is_gone():
    stream = Stream().show(faces_at(40))
    stream.end()
    (crop,) = [item for item in stream.out if isinstance(item, FaceCrop)]
    assert crop.planes.y.std() > 30


def test_every_piece_between_two_cuts_counts_for_itself():
    """Pictures of mixed sizes: each size is a piece."""
    stream = Stream()
    for _ in range(3):
        stream.show(faces_at(40))
        stream.out += stream.faces.cut()
    assert stream.end() == (3, 3)
    stream.show(faces_at(40), NOTHING)
    assert stream.end() == (3, 3)


def test_with_more_detections_asked_for_people_are_still_followed():
    assert Stream(min_detections=4).show(*(faces_at(40 + n) for n in range(3))).end() == (1, 1)
    assert Stream(min_detections=30).show(*(faces_at(40 + n % 3) for n in range(20))).end() == (1, 1)


def test_no_point_to_go_on_at_lies_behind_a_face_that_is_still_held(monkeypatch):
    stream = Stream(min_detections=3, lost_seconds=0.05)
    stream.show(faces_at(40), *[None] * 5, NOTHING)
    monkeypatch.setattr(stream.faces, "_next_checkpoint", 0.0)
    assert not stream.faces.is_checkpoint_due(6)
    assert stream.end() == (1, 1)


def test_what_is_left_of_a_recording_that_was_begun_before_is_not_taken_for_a_short_one():
    """So that a resumed run finds what an undisturbed one does: there the one face at the end is a false alarm."""
    stream = Stream(resumed=True).show(faces_at(40))
    assert stream.end() == (0, 0)
    assert stream.show(faces_at(40)).end() == (1, 1), "behind a cut both begin anew"


def test_a_camera_goes_on_and_needs_no_such_thing():
    assert Stream(live=True).show(faces_at(40)).end() == (0, 0)


def spans(stream: Stream) -> list[tuple[int, int]]:
    """Return the first and last frame of each track."""
    stream.end()
    return sorted((item.first_pts, item.last_pts) for item in stream.out if isinstance(item, TrackClosed))


@pytest.mark.parametrize("live", [False, True])
def test_a_cut_of_the_scene_ends_the_tracks_though_the_faces_lie_in_one_place(live: bool):
    stream = Stream(live=live).show(*[faces_at(40, 200)] * 5).show(*[faces_at(40, 200)] * 5, scene=1)
    assert spans(stream) == [(1, 4), (1, 4), (6, 9), (6, 9)]
    assert stream.faces.counters["tracks.cut"] == 2


def test_a_cut_is_seen_on_a_frame_that_is_not_detected():
    stream = Stream().show(*[faces_at(40), None, None] * 3).show(None, scene=1).show(*[faces_at(40), None, None] * 3)
    assert spans(stream) == [(3, 6), (13, 16)]
    stream = Stream().show(*[faces_at(40), None, None] * 3).show(None, *[faces_at(40), None, None] * 3, scene=1)
    assert spans(stream) == [(3, 6), (13, 16)]


def test_stills_of_one_frame_each_give_their_faces():
    stream = Stream()
    for scene in range(6):
        stream.show(faces_at(40) if scene != 3 else NOTHING, scene=scene)
    assert stream.end() == (5, 5)


def test_what_the_decoder_made_up_is_no_other_scene():
    stream = Stream().show(*[faces_at(40)] * 5).show(*[faces_at(40)] * 3, scene=1, damaged=True).show(*[faces_at(40)] * 5)
    assert spans(stream) == [(1, 12)]


def test_scene_cuts_can_be_switched_off():
    stream = Stream(scene_cuts=False).show(*[faces_at(40)] * 5).show(*[faces_at(40)] * 5, scene=1)
    assert spans(stream) == [(1, 9)]
    assert stream.faces.counters["tracks.cut"] == 0


shots = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["face", "two", "none", "unseen"]), st.integers(1, 6)), max_size=10
)


@given(shots)
@settings(max_examples=40, deadline=None)
def test_a_run_that_goes_on_at_any_point_finds_what_an_undisturbed_one_does(plan: list[tuple[int, str, int]]):
    seen = {"face": faces_at(40), "two": faces_at(40, 200), "none": NOTHING, "unseen": None}
    frames = [(scene, seen[what]) for scene, what, length in plan for _ in range(length)]

    def run(first: int) -> tuple[list[object], list[tuple[int, int]]]:
        """Return what came, and after which frames a run may go on, with how much had come by then."""
        stream, points = Stream(lost_seconds=0.1, resumed=first > 0, first=first), []
        for index in range(first, len(frames)):
            scene, found = frames[index]
            stream.show(found, scene=scene)
            stream.faces._next_checkpoint = 0.0
            if stream.faces.is_checkpoint_due(index):
                points.append((index, len(stream.out)))
        stream.end()
        return [(type(item), item.frame_index if isinstance(item, FaceCrop) else item.first_pts) for item in stream.out], points

    whole, points = run(0)
    for index, already in points:
        assert run(index + 1)[0] == whole[already:]
