"""Tracks of what is no face are counted and not published; a face that was seen once can be a track."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from msgspec.structs import replace

from engine.config import Config, CropConfig, TrackConfig
from engine.contracts.frames import Detections, Frame, FrameTime, Planes
from engine.contracts.links import FaceCrop, TrackClosed
from engine.detect.second_look import Faceness
from engine.pipeline.stream_faces import StreamFaces
from engine.runtime.telemetry import Telemetry

NOTHING = Detections.empty()
LIMITS = Faceness(refused_below=0.2, accepted_from=0.7, alone_from=0.9)


def faces_at(*places: float, score: float = 0.9, faceness: float = 0.95) -> Detections:
    boxes = np.array([[x, 40, 40, 50] for x in places], np.float32).reshape(-1, 4)
    each = np.full(len(boxes), 1, np.float32)
    return Detections(boxes, score * each, np.full((len(boxes), 5, 2), np.nan, np.float32), faceness * each)


class Stream:
    def __init__(self, *, live: bool = False, limits: Faceness | None = LIMITS, rejected: int = 0, **track: object) -> None:
        config = replace(Config(), track=replace(TrackConfig(), **track), crop=CropConfig(policy="every"))
        self.faces = StreamFaces("cam", config, 25.0, count(1).__next__, 0.6, limits, rejected, live=live)
        self.out: list[FaceCrop | TrackClosed] = []
        self._number = 0

    def show(self, *detections: Detections | None) -> Stream:
        for found in detections:
            number, self._number = self._number, self._number + 1
            picture = np.random.default_rng(number).integers(0, 255, (240, 320), np.uint8)
            planes = Planes(picture, picture[::2, ::2].copy(), picture[::2, ::2].copy())
            frame = Frame("cam", FrameTime(number, number, (1, 25), number / 25, 0), planes)
            self.out += self.faces.update(frame, found, Telemetry("perceive"))
        return self

    def end(self) -> tuple[int, int, int]:
        """Return how many faces and tracks came, and how many tracks were rejected."""
        self.out += self.faces.cut()
        tracks = [item.track_id for item in self.out if isinstance(item, TrackClosed)]
        assert len(set(tracks)) == len(tracks)
        assert {item.track_id for item in self.out if isinstance(item, FaceCrop)} <= set(tracks)
        return sum(isinstance(item, FaceCrop) for item in self.out), len(tracks), self.faces.rejected


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("method", ["bytetrack", "ocsort"])
@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([faces_at(40)], (1, 1, 0)),
        ([faces_at(40, 200)], (2, 2, 0)),
        ([NOTHING], (0, 0, 0)),
        ([faces_at(40), NOTHING], (1, 1, 0)),
        ([NOTHING, faces_at(40), None, None], (1, 1, 0)),
        ([faces_at(40, faceness=0.8)], (0, 0, 1)),
        ([faces_at(40, faceness=0.8), faces_at(41, faceness=0.3)], (1, 1, 0)),
        ([faces_at(40, faceness=0.3), faces_at(41, faceness=0.8)], (1, 1, 0)),
        ([faces_at(40, faceness=0.8), *[faces_at(41, faceness=0.1)] * 3], (0, 1, 0)),
        ([faces_at(40), faces_at(40, faceness=0.1), faces_at(40, faceness=0.25)], (2, 1, 0)),
        ([faces_at(40 + n, faceness=0.6) for n in range(20)], (0, 0, 1)),
        ([faces_at(40, 200)] * 4 + [faces_at(100, faceness=0.1)] * 4, (8, 2, 1)),
    ],
)
def test_a_track_speaks_once_one_of_its_faces_was_accepted(method, shown, expected, live):
    assert Stream(method=method, live=live).show(*shown).end() == expected


def test_a_track_that_is_long_enough_needs_the_usual_acceptance_only():
    doubtful = [faces_at(40 + n, faceness=0.8) for n in range(6)]
    assert Stream(min_detections=4).show(*doubtful).end() == (3, 1, 0)
    assert Stream(min_detections=7).show(*doubtful).end() == (0, 0, 1)
    assert Stream(min_detections=7).show(*doubtful, faces_at(46, faceness=0.95)).end() == (1, 1, 0)


def test_where_both_decide_together_the_score_of_both_counts():
    limits = Faceness(0.2, 0.2, 0.2, score_from=0.75, score_alone_from=0.85)
    for score, faceness, times, expected in (
        (0.9, 0.3, 1, (1, 1, 0)),
        (0.8, 0.99, 1, (0, 0, 1)),
        (0.8, 0.3, 2, (1, 1, 0)),
        (0.7, 0.99, 9, (0, 0, 1)),
        (0.9, 0.1, 9, (0, 0, 1)),
    ):
        shown = [faces_at(40 + n, score=score, faceness=faceness) for n in range(times)]
        assert Stream(limits=limits).show(*shown).end() == expected


@pytest.mark.parametrize("limits", [None, LIMITS])
def test_without_a_second_look_the_length_decides(limits):
    def unjudged(x: float) -> Detections:
        found = faces_at(x)
        return Detections(found.boxes, found.scores, found.landmarks)

    assert Stream(limits=limits).show(unjudged(40)).end() == (0, 0, 1)
    assert Stream(limits=limits).show(unjudged(40), unjudged(41), unjudged(42)).end() == (2, 1, 0)
    assert Stream(limits=limits, min_detections=1).show(unjudged(40)).end() == (1, 1, 0)


@pytest.mark.parametrize("method", ["bytetrack"])
def test_a_doubtful_detection_begins_no_track_however_sure_the_second_look_is(method):
    assert Stream(method=method).show(faces_at(40, score=0.55)).end() == (0, 0, 0)


def test_every_piece_between_two_cuts_counts_for_itself():
    """Pictures of mixed sizes: each size is a piece."""
    stream = Stream()
    for _ in range(3):
        stream.show(faces_at(40))
        stream.out += stream.faces.cut()
    assert stream.end() == (3, 3, 0)
    stream.show(faces_at(40, faceness=0.8)).faces.cut()
    assert stream.show(faces_at(40, faceness=0.8)).end() == (3, 3, 2)


def test_what_was_rejected_is_told_once_and_counted_from_the_beginning():
    stream = Stream(rejected=5, lost_seconds=0.05)
    stream.show(faces_at(40, faceness=0.1), *[NOTHING] * 5)
    assert (stream.faces.take_rejected(), stream.faces.take_rejected(), stream.faces.rejected) == (1, 0, 6)
    stream.show(faces_at(40, faceness=0.1), *[NOTHING] * 5)
    assert (stream.faces.take_rejected(), stream.faces.rejected) == (1, 7)
    assert stream.faces.counters["faces.refused"] == 2


def test_no_point_to_go_on_at_lies_behind_a_track_that_is_still_open(monkeypatch):
    stream = Stream(lost_seconds=0.05)
    monkeypatch.setattr(stream.faces, "_next_checkpoint", 0.0)
    stream.show(faces_at(40, faceness=0.1), NOTHING)
    assert not stream.faces.is_checkpoint_due(1)
    stream.show(*[NOTHING] * 5)
    assert stream.faces.is_checkpoint_due(6)
