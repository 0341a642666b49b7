"""Tracks of what is no face are counted and not published; a face that was seen once can be a track."""

from __future__ import annotations

from itertools import count

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.config import Config, CropConfig, TrackConfig
from engine.contracts.coding import BlockMap
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Detections, Frame, FrameTime, Planes
from engine.detect.second_look import Faceness
from engine.perception.stream_faces import StreamFaces
from engine.runtime.telemetry import Telemetry

NOTHING = Detections.empty()
LIMITS = Faceness(refused_below=0.2, accepted_from=0.7, alone_from=0.9)
MISSED = Faceness(0.2, 0.2, 0.2, score_from=0.75, evidence=1.0, score_alone_from=0.85, missed=0.5)


def faces_at(*places: float, score: float = 0.9, faceness: float = 0.95) -> Detections:
    boxes = np.array([[x, 40, 40, 50] for x in places], np.float32).reshape(-1, 4)
    each = np.full(len(boxes), 1, np.float32)
    return Detections(boxes, score * each, np.full((len(boxes), 5, 2), np.nan, np.float32), faceness * each)


def picture_of(scene: int) -> np.ndarray:
    coarse = np.random.default_rng(scene).integers(0, 255, (24, 32)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


class Stream:
    def __init__(
        self,
        *,
        live: bool = False,
        limits: Faceness | None = LIMITS,
        rejected: int = 0,
        first: int = 0,
        every: int = 1,
        frames_expected: int = 0,
        **track: object,
    ) -> None:
        config = replace(Config(), track=replace(TrackConfig(), **track), crop=CropConfig(policy="every"))
        config = replace(config, detect=replace(config.detect, every=every))
        new_id = count(1).__next__
        self.faces = StreamFaces("cam", config, 25.0, new_id, 0.6, limits, rejected, frames_expected=frames_expected, live=live)
        self.out: list[FaceCrop | TrackClosed] = []
        self._number = first

    def show(
        self, *detections: Detections | None, scene: int = 0, damaged: bool = False, motion: tuple[int, int] | None = None
    ) -> Stream:
        for found in detections:
            number, self._number = self._number, self._number + 1
            picture = picture_of(scene)
            field = None if motion is None else np.array(motion, np.int8)[:, None, None].repeat(15, 1).repeat(20, 2)
            blocks = BlockMap(np.full((15, 20), 30, np.uint8), motion=field)
            planes = Planes(picture, picture[::2, ::2].copy(), picture[::2, ::2].copy(), blocks=blocks)
            frame = Frame("cam", FrameTime(number, number, (1, 25), number / 25, 0), planes, damaged=damaged)
            self.out += self.faces.update(frame, found, Telemetry("perceive"))
        return self

    @property
    def crops(self) -> list[FaceCrop]:
        return [item for item in self.out if isinstance(item, FaceCrop)]

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


@pytest.mark.parametrize(
    ("frames", "every", "shown", "expected"),
    [
        (1, 1, [0.8], (1, 1, 0)),
        (1, 1, [0.3], (1, 1, 0)),
        (1, 1, [0.1], (0, 0, 1)),
        (1, 3, [0.8], (1, 1, 0)),
        (2, 1, [0.3, 0.3], (2, 1, 0)),
        (2, 1, [0.3], (1, 1, 0)),
        (3, 3, [0.8], (1, 1, 0)),
        (4, 3, [0.3], (1, 1, 0)),
        (9, 3, [0.8], (0, 0, 1)),
        (100, 1, [0.8], (0, 0, 1)),
        (0, 1, [0.8], (0, 0, 1)),
    ],
)
def test_in_a_photograph_a_face_need_not_stand_out(frames, every, shown, expected):
    """In a recording of fewer looks than `min_detections` what is reported is accepted."""
    stream = Stream(min_detections=3, every=every, frames_expected=frames)
    assert stream.show(*[faces_at(40, faceness=one) for one in shown]).end() == expected


@pytest.mark.parametrize(
    ("scores", "faceness", "expected"),
    [
        ([0.9], 0.3, (1, 1, 0)),
        ([0.84], 0.99, (0, 0, 1)),
        ([0.84, 0.84], 0.3, (1, 1, 0)),
        ([0.77] * 9, 0.3, (0, 0, 1)),
        ([0.77] * 19, 0.3, (10, 1, 0)),
        ([0.8] * 6, 0.3, (3, 1, 0)),
        ([0.8, 0.6] * 9, 0.3, (0, 0, 1)),
        ([0.6] * 9 + [0.84, 0.84], 0.3, (1, 1, 0)),
        ([0.9] * 9, 0.1, (0, 0, 1)),
    ],
)
def test_where_both_decide_together_the_scores_of_a_track_are_gathered(scores, faceness, expected):
    """At 0.75 a face says nothing; 0.84 twice, or 0.8 four times, is a logit above it; doubtful ones before do not count."""
    limits = Faceness(0.2, 0.2, 0.2, score_from=0.75, evidence=1.0, score_alone_from=0.85)
    shown = [faces_at(40 + n, score=score, faceness=faceness) for n, score in enumerate(scores)]
    assert Stream(limits=limits).show(*shown).end() == expected


@pytest.mark.parametrize(
    ("between", "expected"),
    [([], (5, 1, 0)), ([None] * 2, (5, 1, 0)), ([NOTHING], (0, 0, 1)), ([None, NOTHING], (0, 0, 1))],
)
def test_what_comes_and_goes_gathers_nothing(between, expected):
    """0.8 is 0.29 logits above what says nothing, and a look without it takes 0.5 away; where nobody looks, nothing is lost."""
    shown = [one for n in range(8) for one in (faces_at(40 + n, score=0.8), *between)]
    assert Stream(limits=MISSED).show(*shown).end() == expected


def test_a_look_without_it_takes_nothing_from_a_track_that_speaks():
    shown = [faces_at(40, score=0.9), *[NOTHING] * 9, faces_at(41, score=0.6)]
    assert Stream(limits=MISSED).show(*shown).end() == (2, 1, 0)


@pytest.mark.parametrize("limits", [None, LIMITS])
def test_without_a_second_look_the_length_decides(limits):
    def unjudged(x: float) -> Detections:
        found = faces_at(x)
        return Detections(found.boxes, found.scores, found.landmarks)

    assert Stream(limits=limits).show(unjudged(40)).end() == (0, 0, 0 if limits is None else 1)
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


def test_no_point_to_go_on_at_lies_behind_a_track_that_is_still_open():
    stream = Stream(lost_seconds=0.05)
    assert not stream.faces.is_checkpoint_due(100.0), "the first one has its time too"
    stream.show(faces_at(40, faceness=0.1), NOTHING)
    assert not stream.faces.is_checkpoint_due(200.0)
    stream.show(*[NOTHING] * 5)
    assert stream.faces.is_checkpoint_due(201.0)
    assert [stream.faces.is_checkpoint_due(now) for now in (201.5, 202.0)] == [False, True]


def spans(stream: Stream) -> list[tuple[int, int]]:
    """Return the first and last frame of each track."""
    stream.end()
    return sorted((item.span.first.pts, item.span.last.pts) for item in stream.out if isinstance(item, TrackClosed))


@pytest.mark.parametrize("live", [False, True])
def test_a_cut_of_the_scene_ends_the_tracks_though_the_faces_lie_in_one_place(live: bool):
    stream = Stream(live=live).show(*[faces_at(40, 200)] * 5).show(*[faces_at(40, 200)] * 5, scene=1)
    assert spans(stream) == [(0, 4), (0, 4), (5, 9), (5, 9)]
    assert stream.faces.counters["tracks.cut"] == 2


def test_a_cut_is_seen_on_a_frame_that_is_not_detected():
    stream = Stream().show(*[faces_at(40), None, None] * 3).show(None, scene=1).show(*[faces_at(40), None, None] * 3)
    assert spans(stream) == [(0, 6), (10, 16)]
    stream = Stream().show(*[faces_at(40), None, None] * 3).show(None, *[faces_at(40), None, None] * 3, scene=1)
    assert spans(stream) == [(0, 6), (10, 16)]


def test_stills_of_one_frame_each_give_their_faces():
    stream = Stream()
    for scene in range(6):
        stream.show(faces_at(40) if scene != 3 else NOTHING, scene=scene)
    assert stream.end() == (5, 5, 0)


def test_what_the_decoder_made_up_is_no_other_scene():
    stream = Stream().show(*[faces_at(40)] * 5).show(*[faces_at(40)] * 3, scene=1, damaged=True).show(*[faces_at(40)] * 5)
    assert spans(stream) == [(0, 12)]


def test_scene_cuts_can_be_switched_off():
    stream = Stream(scene_cuts=False).show(*[faces_at(40)] * 5).show(*[faces_at(40)] * 5, scene=1)
    assert spans(stream) == [(0, 9)]
    assert stream.faces.counters["tracks.cut"] == 0


shots = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(["face", "two", "none", "doubtful", "unseen"]), st.integers(1, 6)), max_size=10
)


@given(shots)
@settings(max_examples=40, deadline=None)
def test_a_run_that_goes_on_at_any_point_finds_what_an_undisturbed_one_does(plan: list[tuple[int, str, int]]):
    seen = {"face": faces_at(40), "two": faces_at(40, 200), "doubtful": faces_at(40, faceness=0.5), "none": NOTHING}
    seen["unseen"] = None
    frames = [(scene, seen[what]) for scene, what, length in plan for _ in range(length)]

    def run(first: int) -> tuple[list[object], list[tuple[int, int]]]:
        """Return what came, and after which frames a run may go on, with how much had come by then."""
        stream, points = Stream(lost_seconds=0.1, first=first), []
        stream.faces.is_checkpoint_due(-10.0)
        for index in range(first, len(frames)):
            scene, found = frames[index]
            stream.show(found, scene=scene)
            if stream.faces.is_checkpoint_due(10.0 * index):
                points.append((index, len(stream.out)))
        stream.end()
        return [
            (type(item), item.time.frame_index if isinstance(item, FaceCrop) else item.span.first.pts) for item in stream.out
        ], points

    whole, points = run(0)
    for index, already in points:
        assert run(index + 1)[0] == whole[already:]


def test_faces_are_carried_between_detections_where_the_video_tells_its_motion():
    doubtful = faces_at(60.0, faceness=0.8)  # until its second detection: what is carried confirms nothing
    stream = Stream(every=3).show(doubtful, None, None, faces_at(66.0), None, None, motion=(8, 0))
    places = [(crop.time.frame_index, crop.box[0]) for crop in stream.crops]
    assert places == [(3, 66.0), (4, 68.0), (5, 70.0)]
    assert {crop.track_id for crop in stream.crops} == {1}
    assert all(crop.quality.qp == pytest.approx(30) for crop in stream.crops)
    without = Stream(every=3).show(faces_at(60.0), None, None, faces_at(66.0), None, None)
    assert [crop.time.frame_index for crop in without.crops] == [0, 3]


def test_nothing_is_carried_over_a_cut():
    stream = Stream(every=3).show(faces_at(60.0), None, None, faces_at(66.0), None, motion=(8, 0))
    stream.show(None, None, scene=1, motion=(8, 0))
    assert [crop.time.frame_index for crop in stream.crops] == [0, 1, 2, 3, 4]
