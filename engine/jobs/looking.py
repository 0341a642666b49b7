"""The half of the work that needs frames: one segment of a recording, decoded, looked at and followed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from engine.config import Config
from engine.contracts.counts import Calls
from engine.contracts.frames import Frame
from engine.contracts.recording import Recording
from engine.contracts.streams import Checkpoint, StreamChanged
from engine.decode.recording import reader_of
from engine.errors import error_words
from engine.jobs.pieces import Ending, Point, State
from engine.jobs.seat import Work
from engine.jobs.segments import Segment
from engine.perception.perception import Item, Perception
from engine.runtime.telemetry import Telemetry
from engine.words.text import readable

JOIN_EVERY = 16
"""Frames whose index is a multiple of it may be join points: of all of them there would be much to write down."""
_LUMA_STEP = 4


@dataclass
class Step:
    """What one frame, or one state of the stream, has brought."""

    frame_index: int
    """Of the newest frame."""
    work: list[Work] = field(default_factory=list)
    state: StreamChanged | None = None
    """Follows the work; never the last one."""
    point: Point | None = None
    """The frame is a join point."""


class Looking:
    """Iterate once; when that is over the rest is known, too, and means what it does in ``Piece``.

    Args:
        recording: of which it reads a segment.
        segment: which.
        config: of the job.
        core: that has followed nothing yet.
        telemetry: of the core alone.
    """

    def __init__(self, recording: Recording, segment: Segment, config: Config, core: Perception, telemetry: Telemetry) -> None:
        self._stream, self._segment, self._core, self._telemetry = recording.name, segment, core, telemetry
        self._recording = recording
        self._reader = reader_of(recording, config.decode, config.detect.every, start=segment.start)
        self._every = config.detect.every
        self._joins = frozenset(segment.joins)
        self._phase = 0
        self._met_point = False
        self._expected = 0
        self.last_frame = segment.first_frame - 1
        self.ending: Ending = "end"
        self.end: StreamChanged | None = None
        self.detail_if_damaged = ""
        self.states: list[State] = []
        self.calls: dict[str, Calls] = {}
        self.rejected = 0
        self.decoded: dict[str, int] = {}

    @property
    def frames_expected(self) -> int:
        """About how many frames there are; 0: not known."""
        return self._segment.frames or max(0, self._expected - self._segment.first_frame)

    def meanwhile(self, call: Callable[[], None]) -> None:
        """Let something be called now and then while a long part of the file that is no video gives nothing."""
        self._reader.meanwhile = call

    def __iter__(self) -> Iterator[Step]:
        with self._reader:
            waiting: list[tuple[Frame, dict[str, int]]] = []
            for item in self._items():
                if isinstance(item, Frame):
                    waiting.append((item, self._reader.counters))
                    if len(waiting) < self._core.together:
                        continue
                for step in self._looked_at(waiting):
                    yield step
                    if step.point is not None and self._is_enough(step.point):
                        self._leave("joined", step.point)
                        return
                waiting = []
                if isinstance(item, StreamChanged):
                    if self._is_elsewhere(item):
                        self.ending = "unfit"
                        return
                    step = self._changed(item)
                    step.point = self._before(item)
                    yield step
                    if item.is_last:
                        return
                elif sentence := self._core.take_refusal(self._stream):
                    yield self._changed(
                        StreamChanged(self._stream, "failed", "model", sentence, counters=self._reader.counters)
                    )
                    return
                if self._is_stuck():
                    self.ending = "busy"
                    return

    def _items(self) -> Iterator[Frame | StreamChanged]:
        """Whatever goes wrong in a recording is its end, and nobody else's."""
        try:
            for item in self._reader:
                yield item if isinstance(item, Frame) else replace(item, detail=self._recording.told(item.detail))
        except Exception as error:
            words = readable(f"{self._recording.path}: reading it failed: {error_words(error)}")
            words = self._recording.told(words)
            yield StreamChanged(self._stream, "failed", "unexpected", words, counters=self._reader.counters)

    def _looked_at(self, waiting: list[tuple[Frame, dict[str, int]]]) -> Iterator[Step]:
        due = [self._core.is_detection_due(self._stream, marked=frame.detect, live=False) for frame, _ in waiting]
        pictures = [frame.planes for (frame, _), is_due in zip(waiting, due, strict=True) if is_due]
        found = iter(self._core.detect(pictures) if pictures else ())
        for (frame, decoded), is_due in zip(waiting, due, strict=True):
            # By a clock on which a second passes with each frame: then it tells of every frame after which nobody is followed.
            items = self._core.take(frame, next(found) if is_due else None, float(frame.time.frame_index), live=False)
            self._telemetry.counts.everywhere(self._stream, "frames")
            self.last_frame = frame.time.frame_index
            self._phase = 0 if frame.detect else self._phase + 1
            yield self._step(items, frame, decoded)

    def _step(self, items: list[Item], frame: Frame, decoded: dict[str, int]) -> Step:
        step = Step(self.last_frame)
        for item in items:
            if isinstance(item, Checkpoint):
                if (
                    item.frame_index % JOIN_EVERY == 0
                    or item.frame_index == self._segment.stop_after
                    or item.frame_index in self._joins
                ):
                    step.point = self._point(item, frame, decoded)
            elif not isinstance(item, StreamChanged):
                step.work.append(item)
        self._met_point |= step.point is not None
        return step

    def _point(self, idle: Checkpoint, frame: Frame, decoded: dict[str, int]) -> Point:
        counted = self._telemetry.counts.copy()
        counted.run.update(self._core.counters_of(self._stream))
        return Point(*_key(frame, self._phase), idle.next_track_id, idle.rejected, decoded, counted.now())

    def _before(self, event: StreamChanged) -> Point | None:
        """Return the frame before the first as a join point, once."""
        start = self._segment.start
        if event.state != "live" or start is None or self._reader.before is None:
            return None
        frame, decoded = self._reader.before
        return Point(*_key(frame, (start.since_mark - 1) % self._every), 1, 0, decoded)

    def _changed(self, event: StreamChanged) -> Step:
        self._expected = event.frames_expected or self._expected
        if not event.is_last:
            self.states.append(State(event, self.last_frame + 1))
        *items, last = self._core.change(event, live=False)
        step = Step(self.last_frame, [item for item in items if not isinstance(item, Checkpoint | StreamChanged)])
        if not event.is_last:
            step.state = event
        elif isinstance(last, StreamChanged):
            self.end, self.calls, self.decoded = event, dict(last.calls), event.counters
            self.detail_if_damaged = self._recording.told(self._reader.detail_if_damaged)
            self.rejected = last.counters.get("rejected", 0)
        return step

    def _is_enough(self, point: Point) -> bool:
        stop_after = self._segment.stop_after
        return point.frame_index in self._joins or (stop_after is not None and point.frame_index >= stop_after)

    def _leave(self, ending: Ending, point: Point) -> None:
        self.ending, self.decoded, self.rejected = ending, point.decoded, point.rejected
        last = self._core.change(StreamChanged(self._stream, "ended"), live=False)[-1]
        self.calls = dict(last.calls) if isinstance(last, StreamChanged) else {}

    def _is_elsewhere(self, event: StreamChanged) -> bool:
        """Whether the recording is over before the frame with which this segment begins."""
        return event.is_last and self._segment.start is not None and self.last_frame < self._segment.first_frame

    def _is_stuck(self) -> bool:
        patience = self._segment.patience
        return patience is not None and not self._met_point and self.last_frame - self._segment.first_frame >= patience


def _key(frame: Frame, phase: int) -> tuple[int, int | None, float, int, bool, int]:
    luma = np.ascontiguousarray(frame.planes.y[::_LUMA_STEP, ::_LUMA_STEP])
    when = frame.time
    return when.frame_index, when.pts, when.pts_seconds, phase, frame.damaged, zlib.crc32(luma.data)
