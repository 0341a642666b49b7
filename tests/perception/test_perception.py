"""The whole core in this process: frames in, crops and ends of tracks out, with no worker, pipe or clock."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from engine.config import Config, CropConfig
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Detections, Frame, FrameTime, Planes
from engine.contracts.orders import Warned
from engine.contracts.profile import ONE
from engine.contracts.streams import Checkpoint, StreamChanged
from engine.errors import InferenceError
from engine.perception.perception import Item, Models, Perception
from engine.perception.track_ids import TrackIds
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls

LAST = ("ended", "end_of_file")


class Squares:
    """Finds the white square of a picture, if there is one."""

    name, model_sha256, licence, runtime, profile, min_score, sure_score = "squares", "", "none", "test", ONE, 0.5, 0.6
    fails = False

    def detect(self, pictures: Sequence[Planes]) -> list[Detections]:
        if self.fails:
            raise InferenceError("the detector squares fails: no memory")
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Planes) -> Detections:
        rows, columns = np.nonzero(picture.y > 250)
        if not len(rows):
            return Detections.empty()
        box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        return Detections(np.array([box], np.float32), np.ones(1, np.float32), np.full((1, 5, 2), np.nan, np.float32))

    def close(self) -> None: ...


BACKGROUND = np.asarray(cv2.resize(np.random.default_rng(1).integers(0, 200, (24, 32)).astype(np.uint8), (320, 240)), np.uint8)


def frame(index: int, square: int | None, stream: str = "clip") -> Frame:
    """Return a frame with a square at x = ``square``."""
    luma = BACKGROUND.copy()
    if square is not None:
        luma[60:110, square : square + 40] = 255
    grey = np.full((120, 160), 128, np.uint8)
    return Frame(stream, FrameTime(index, index, (1, 25), index / 25, 7 + index), Planes(luma, grey, grey))


def doubled(shown: Frame, *, strange: bool = False) -> Frame:
    """Return the frame of a camera with two streams, of which the larger one shows the same, or something else."""
    height, width = shown.planes.y.shape
    large = cv2.resize(shown.planes.y, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    if strange:
        large = np.ascontiguousarray(large[::-1])
    grey = np.full((height, width), 128, np.uint8)
    return dataclasses.replace(shown, main=Planes(np.asarray(large, np.uint8), grey, grey), has_main=True)


class Core:
    def __init__(self, *, live: bool = False, ids: TrackIds | None = None) -> None:
        self.telemetry, self.detector, self.warnings = Telemetry("perceive"), Squares(), list[Warned]()
        self.live = live
        config = replace(Config(), crop=CropConfig(policy="every"))
        calls = ModelCalls(self.telemetry.counts, lambda *said: self.warnings.append(Warned(*said)))
        self.core = Perception(config, Models(self.detector), calls, self.telemetry, ids, None, self._warn)  # type: ignore[arg-type]

    def _warn(self, stream: str, sentence: str) -> None:
        self.warnings.append(Warned(stream, sentence))

    def show(self, index: int, square: int | None, stream: str = "clip", marked: bool = True) -> list[Item]:
        return self.take(frame(index, square, stream), marked=marked)

    def take(self, shown: Frame, *, marked: bool = True) -> list[Item]:
        stream, index = shown.stream, shown.time.frame_index
        due = self.core.is_detection_due(stream, marked=marked, live=self.live)
        found = self.core.detect([shown.planes])[0] if due else None
        return self.core.take(shown, found, float(index), live=self.live)


def test_a_face_that_walks_by_is_one_track():
    threads = set(threading.enumerate())
    run = Core()
    assert run.core.change(StreamChanged("clip", "live", frame_rate=25.0), live=False) == [
        StreamChanged("clip", "live", frame_rate=25.0)
    ]
    items = [item for index in range(30) for item in run.show(index, 40 + 2 * index)]
    items += run.core.change(StreamChanged("clip", *LAST), live=False)
    crops = [item for item in items if isinstance(item, FaceCrop)]
    assert {crop.track_id for crop in crops} == {1}
    for crop in crops:
        x, y, width, height = crop.crop_box
        assert np.array_equal(
            crop.planes.y, frame(crop.time.frame_index, 40 + 2 * crop.time.frame_index).planes.y[y : y + height, x : x + width]
        )
    *_, closed, last = items
    assert isinstance(closed, TrackClosed)
    assert (closed.span.first.frame_index, closed.span.last.frame_index, closed.frames_seen) == (0, 29, 30)
    assert isinstance(last, StreamChanged)
    assert last.is_last
    assert last.calls["detect"].total == last.calls["track"].total == 30
    assert run.telemetry.counters["crops"] == len(crops)
    assert not set(threading.enumerate()) - threads


def test_streams_do_not_mix_and_ids_are_never_used_twice():
    run = Core(ids=TrackIds(100))
    items = [item for index in range(20) for name in ("a", "b") for item in run.show(index, 40, name)]
    for name in ("a", "b"):
        items += run.core.change(StreamChanged(name, *LAST), live=False)
    tracks = {(item.stream, item.track_id) for item in items if isinstance(item, FaceCrop | TrackClosed)}
    assert tracks == {("a", 100), ("b", 101)}


def test_the_numbers_of_tracks_do_not_depend_on_which_recording_is_read_first():
    orders = ("a", "b"), ("b", "a")
    found = []
    for order in orders:
        run = Core(ids=TrackIds(1, ["a", "b"]))
        items = [item for name in order for index in range(20) for item in run.show(index, 40, name)]
        found.append({(item.stream, item.track_id) for item in items if isinstance(item, FaceCrop)})
    assert found == [{("a", 1), ("b", 2)}] * 2


def test_a_cut_ends_the_tracks_and_its_state_comes_behind_them():
    run = Core()
    for index in range(10):
        run.show(index, 40)
    items = run.core.change(StreamChanged("clip", "discontinuity", "timestamp_jump"), live=False)
    assert [type(item) for item in items[-2:]] == [TrackClosed, StreamChanged]
    assert not any(isinstance(item, FaceCrop | TrackClosed) for item in run.show(10, None))


def test_a_recording_can_go_on_where_no_track_is_open():
    run = Core()
    points = [
        item for index in range(100) for item in run.show(index, None if index > 10 else 40) if isinstance(item, Checkpoint)
    ]
    assert points
    assert all(point.frame_index > 10 and point.next_track_id == 2 for point in points)
    camera = Core(live=True)
    assert not [item for index in range(100) for item in camera.show(index, None) if isinstance(item, Checkpoint)]


def test_a_dropped_detection_is_made_up_for_on_the_next_frame():
    run = Core(live=True)
    assert not run.core.is_detection_due("clip", marked=False, live=True)
    run.core.miss("clip", marked=True)
    assert run.core.is_detection_due("clip", marked=False, live=True)
    run.core.miss("clip", marked=False)
    assert not run.core.is_detection_due("clip", marked=False, live=True)


def test_what_a_stream_is_does_not_depend_on_when_its_first_frame_is_asked_about():
    """Beside another recording that may be before what is said ahead of the frame has its turn; the stream then kept a usual
    frame rate and no length: its tracks ended elsewhere, and in a photograph nobody was found."""
    found = []
    for is_early in (False, True):
        run = Core()
        asked = [run.core.is_detection_due("clip", marked=True, live=False)] if is_early else []
        run.core.change(StreamChanged("clip", "live", frame_rate=5.0, frames_expected=1), live=False)
        asked = asked or [run.core.is_detection_due("clip", marked=True, live=False)]
        items = run.core.take(frame(0, 40), run.core.detect([frame(0, 40).planes])[0], 0.0, live=False)
        items += run.core.change(StreamChanged("clip", *LAST), live=False)
        assert asked == [True]
        found.append([type(item) for item in items])
    assert found[0] == found[1] == [FaceCrop, TrackClosed, StreamChanged]


def test_a_frame_that_gives_way_before_its_stream_begins_does_not_begin_it():
    run = Core(live=True)
    run.core.miss("cam", marked=True)
    run.core.change(StreamChanged("cam", "live", frame_rate=5.0, frames_expected=1), live=True)
    assert [type(item) for item in run.show(0, 40, "cam", marked=False)] == [FaceCrop]


@pytest.mark.parametrize("begins_before", [True, False])
@pytest.mark.parametrize(("live", "faces"), [(True, 1), (False, 10)])
def test_an_overloaded_machine_chooses_fewer_faces_of_cameras_and_no_fewer_of_recordings(
    live: bool, faces: int, begins_before: bool
):
    run = Core(live=live)
    if begins_before:
        run.show(0, None)
    for second in range(8):
        for _ in range(20):
            run.core.drop_face("cam", "late")
        run.core.adapt(float(second))
    assert run.telemetry.counters["overload.level"] > 2
    items = [item for index in range(1, 12) for item in run.show(index, 40)]
    assert len([item for item in items if isinstance(item, FaceCrop)]) == faces


def test_a_detector_that_fails_costs_the_faces_of_its_frames():
    run = Core()
    run.detector.fails = True
    assert [item for index in range(40) for item in run.show(index, 40) if not isinstance(item, Checkpoint)] == []
    assert run.warnings == [Warned("clip", "detect failed: the detector squares fails: no memory")]
    assert run.core.take_refusal("clip").endswith("(none of 40 calls worked)")
    assert run.core.take_refusal("clip") == ""


def test_under_overload_fewer_detections_are_due_and_later_all_again():
    run = Core(live=True)

    def share_of(seconds: range) -> float:
        due = [run.core.is_detection_due("cam", marked=True, live=True) for _ in range(60)]
        for second in seconds:
            run.core.adapt(float(second))
        return sum(due) / len(due)

    assert share_of(range(1)) == 1.0
    for second in range(1, 12):
        for _ in range(20):
            run.core.miss("cam", marked=True)
        run.core.adapt(float(second))
    assert run.telemetry.counters["overload.level"] > 4
    assert share_of(range(12, 400)) < 0.6
    assert run.telemetry.counters["overload.level"] == 0
    assert share_of(range(400, 401)) == 1.0


@pytest.mark.parametrize("late", [True, False])
def test_only_late_faces_are_overload(late: bool):
    run = Core(live=True)
    for second in range(6):
        for _ in range(20):
            run.core.drop_face("cam", "stale" if late else "worker_died")
        run.core.adapt(float(second))
    assert (run.telemetry.counters["overload.level"] > 0) == late


@pytest.mark.parametrize(("faces", "frames"), [(3, 0), (0, 3), (0, 0)])
def test_what_comes_just_in_time_is_overload_before_anything_is_dropped(faces: int, frames: int):
    run = Core(live=True)
    for second in range(6):
        run.core.note_faces(20, faces)
        for _ in range(frames):
            run.core.note_close_frame()
        run.core.adapt(float(second))
    assert (run.telemetry.counters["overload.level"] > 0) == bool(faces or frames)
    assert not any(name.startswith("drops.") for name in run.telemetry.counters)


def test_faces_are_cut_from_the_larger_picture_of_the_same_moment_where_there_is_one():
    run = Core(live=True)
    for index in range(30):
        shown = frame(index, 40 + index)
        small, large = dataclasses.replace(shown, has_main=True), doubled(shown)
        for crop in run.take(large if index % 3 else small):
            assert isinstance(crop, FaceCrop)
            scale = 2 if index % 3 else 1
            assert (crop.width_px, crop.height_px) == (320 * scale, 240 * scale)
            assert crop.box == pytest.approx(((40 + index) * scale, 60 * scale, 40 * scale, 50 * scale), abs=4)
            assert crop.quality.size_px == pytest.approx(scale * (40 * 50) ** 0.5, abs=1)
            x, y, width, height = crop.crop_box
            source = large.main if index % 3 else small.planes
            assert source is not None
            assert np.array_equal(crop.planes.y, source.y[y : y + height, x : x + width])
    counts = run.telemetry.counts.streams["clip"]
    assert counts["main_faces"] > counts["sub_faces"] > 5
    assert run.warnings == []


def test_a_main_stream_that_shows_something_else_gives_no_face_and_is_named_once():
    run = Core(live=True)
    crops = [crop for index in range(60) for crop in run.take(doubled(frame(index, 40 + index), strange=True))]
    assert {crop.width_px for crop in crops if isinstance(crop, FaceCrop)} == {320}
    assert [(one.stream, "check crop_uri" in one.detail) for one in run.warnings] == [("clip", True)]


def test_a_camera_that_comes_back_with_another_rate_is_followed_at_that():
    """A face that is seen once a second was lost between two pictures: the first connection had sent 25 of them."""
    run = Core(live=True)
    run.core.change(StreamChanged("clip", "live", frame_rate=25.0), live=True)
    for index in range(10):
        run.take(at(frame(index, 40, "clip"), index / 25))
    run.core.change(StreamChanged("clip", "discontinuity", "network"), live=True)
    run.core.change(StreamChanged("clip", "live", frame_rate=0.5), live=True)
    items = [item for index in range(10, 20) for item in run.take(at(frame(index, 40, "clip"), 2.0 * index))]
    items += run.core.change(StreamChanged("clip", *LAST), live=True)
    assert [item.frames_seen for item in items if isinstance(item, TrackClosed)] == [10]


def at(shown: Frame, seconds: float) -> Frame:
    return dataclasses.replace(shown, time=replace(shown.time, pts_seconds=seconds))
