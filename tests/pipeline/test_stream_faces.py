"""Recordings that are too short for a track still give their faces."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
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


class Stream:
    def __init__(self, *, live: bool = False, resumed: bool = False, **track: object) -> None:
        config = replace(Config(), track=replace(TrackConfig(), **track))
        self.faces = StreamFaces("cam", config, 25.0, count(1).__next__, 0.6, live=live, resumed=resumed)
        self.out: list[FaceCrop | TrackClosed] = []
        self._number = 0

    def show(self, *detections: Detections | None) -> Stream:
        for found in detections:
            number, self._number = self._number, self._number + 1
            picture = np.random.default_rng(7).integers(0, 255, (240, 320), np.uint8)
            planes = Planes(picture, picture[::2, ::2].copy(), picture[::2, ::2].copy())
            frame = Frame("cam", FrameTime(number, number, (1, 25), number / 25, 0), planes)
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
