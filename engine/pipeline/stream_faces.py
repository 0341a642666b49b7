"""What perceive keeps of one stream: its tracker, its selector, and when to detect."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace as replaced

import numpy as np
from msgspec.structs import replace

from engine.config import Config
from engine.contracts.frames import Detections, Frame, TrackEnd
from engine.contracts.links import FaceCrop, FrameReady, TrackClosed
from engine.crop.selector import Selector
from engine.pipeline.following import Following
from engine.pipeline.overload import Governor
from engine.runtime.telemetry import Telemetry
from engine.track.judge import Judge
from engine.track.tracker import Tracker

_CHECKPOINT_SECONDS = 1.0
_MOST_SHORT_FRAMES = 8
"""Frames that are kept whole, at most, where ``min_detections`` asks for more."""


class StreamFaces:
    """Follows the faces of one stream and chooses which of them go on.

    Args:
        stream: its name.
        config: of the run.
        frame_rate: nominal, in frames per second.
        new_id: returns a track id that was never used.
        start_score: of the detections that may begin a track.
        judge: compares the faces of a track; None: they are not compared.
        live: it is a camera's.
        resumed: an earlier attempt has read its beginning.
    """

    def __init__(
        self,
        stream: str,
        config: Config,
        frame_rate: float,
        new_id: Callable[[], int],
        start_score: float = 0.0,
        judge: Judge | None = None,
        *,
        live: bool,
        resumed: bool = False,
    ) -> None:
        self._stream = stream
        self._track_config, self._frame_rate = config.track, frame_rate
        self._new_id, self._start_score = new_id, start_score
        # A track must outlive the frames on which the detector does not run, and one miss.
        lost_seconds = max(config.track.lost_seconds, 2.5 * config.detect.every / frame_rate)
        track_config = replace(config.track, lost_seconds=lost_seconds)
        self._following = Following(track_config, frame_rate, new_id, start_score, judge)
        self._selector = Selector(config.crop, live=live)
        self._keeps_short = not live
        self._detected_frames = config.track.min_detections if resumed else 0
        self._short: list[tuple[Frame, Detections]] = []
        """Copies of what was seen since the last cut, while that is too little for a track."""
        self._due_detections = 0
        self._next_checkpoint = time.monotonic() + _CHECKPOINT_SECONDS
        self.owes_detection = False
        """A frame that was to be detected was dropped: the next one takes its place."""

    @property
    def counters(self) -> Counter[str]:
        return self._selector.counters + self._following.counters

    def is_detection_due(self, link: FrameReady, governor: Governor) -> bool:
        """Tell whether the detector should run on this frame; under overload it does on every n-th that is marked."""
        if not (link.detect or self.owes_detection):
            return False
        self.owes_detection = False
        self._due_detections += 1
        return not link.live or self._due_detections % governor.detect_step == 0

    def thin(self, factor: float) -> None:
        """Choose ``factor`` times fewer faces than without overload."""
        self._selector.thinning = factor

    def update(self, frame: Frame, detections: Detections | None, telemetry: Telemetry) -> list[FaceCrop | TrackClosed]:
        """Take the next frame; return the faces to enhance and the tracks that are over, in the order in which they go on."""
        with telemetry.stage("scene_cut"):
            is_cut = self._following.is_cut(frame)
        before = [*self._close(self._following.cut()), *self._take_short()] if is_cut else []
        if detections is not None and self._keeps_short:
            self._keep(frame, detections)
        with telemetry.stage("track"):
            faces, ends = self._following.update(frame, detections)
        with telemetry.stage("crop"):
            crops = self._selector.offer(frame, faces)
        return [*before, *crops, *self._close(ends)]

    def cut(self) -> list[FaceCrop | TrackClosed]:
        """End all tracks: what comes next does not continue what was before."""
        result = self._close(self._following.reset())
        return [*result, *self._take_short()]

    def _keep(self, frame: Frame, detections: Detections) -> None:
        """Remember the frames of a recording that may be over before ``min_detections`` of them have been looked at."""
        self._detected_frames += 1
        if self._detected_frames >= self._track_config.min_detections:
            self._short.clear()
        elif len(detections) and len(self._short) < _MOST_SHORT_FRAMES:
            y, u, v = (np.array(plane) for plane in (frame.planes.y, frame.planes.u, frame.planes.v))
            self._short.append((replaced(frame, planes=replaced(frame.planes, y=y, u=u, v=v)), detections))

    def _take_short(self) -> list[FaceCrop | TrackClosed]:
        """Return the faces of a photograph, and of whatever else was too short for a track: there each detection makes one."""
        kept, self._short, self._detected_frames = self._short, [], 0
        if not kept:
            return []
        config = replace(self._track_config, method="bytetrack", min_detections=1)
        tracker, result = Tracker(config, self._frame_rate, self._new_id, self._start_score), []
        tracker.update(kept[0][0].time, kept[0][1])  # only a second look gives a face its track
        for frame, detections in kept:
            faces, ends = tracker.update(frame.time, detections)
            result += [*self._selector.offer(frame, faces), *self._close(ends)]
        return [*result, *self._close(tracker.reset())]

    def is_checkpoint_due(self, frame_index: int) -> bool:
        """Tell whether a run that is cut could go on after this frame, and the last such point is some time ago.

        Where no track is open all starts afresh, in this run as in one that goes on here: so both find the same. A piece of
        which too little was seen for a track goes on until its next cut.
        """
        is_begun = self._detected_frames >= self._track_config.min_detections
        if not self._following.is_idle or self._short or not is_begun:
            return False
        self._following.reset()
        if time.monotonic() < self._next_checkpoint:
            return False
        self._next_checkpoint = time.monotonic() + _CHECKPOINT_SECONDS
        return True

    def _close(self, ends: Sequence[TrackEnd]) -> list[FaceCrop | TrackClosed]:
        result: list[FaceCrop | TrackClosed] = []
        for end in ends:
            result += self._selector.close_track(end.track_id)
            result.append(
                TrackClosed(
                    stream=self._stream,
                    track_id=end.track_id,
                    first_pts=end.first.pts,
                    first_pts_seconds=end.first.pts_seconds,
                    last_pts=end.last.pts,
                    last_pts_seconds=end.last.pts_seconds,
                    time_base=end.first.time_base,
                    frames_seen=end.frames_seen,
                    first_recorded_ns=end.first.recorded_ns,
                    last_recorded_ns=end.last.recorded_ns,
                )
            )
        return result
