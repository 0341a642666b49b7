"""Faces of one stream from frame to frame: until the scene changes, and never two people in one track."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from engine.config import TrackConfig
from engine.contracts.frames import Detections, Frame, TrackedFace, TrackEnd
from engine.track.judge import Judge
from engine.track.persons import Persons
from engine.track.scene_cut import SceneCuts
from engine.track.tracker import Tracker


class Following:
    """A tracker with what ``track.scene_cuts`` and ``track.same_person`` add to it.

    Args:
        config: how long a track may be lost, and what is added.
        frame_rate: nominal, in frames per second.
        new_id: returns a track id that was never used.
        start_score: of the detections that may begin a track.
        judge: compares faces; None: they are not compared.
    """

    def __init__(
        self,
        config: TrackConfig,
        frame_rate: float,
        new_id: Callable[[], int],
        start_score: float = 0.0,
        judge: Judge | None = None,
    ) -> None:
        self._cuts = SceneCuts() if config.scene_cuts else None
        self._persons = Persons(judge, config.lost_seconds) if judge is not None and config.same_person else None
        self._tracker = Tracker(config, frame_rate, new_id, start_score, self._persons)
        self._cut_tracks = 0

    @property
    def counters(self) -> Counter[str]:
        """``tracks.cut``: ended by a change of the scene; for the others see ``Persons.counters``."""
        counted = Counter() if self._persons is None else self._persons.counters.copy()
        counted["tracks.cut"] = self._cut_tracks
        return +counted

    @property
    def is_idle(self) -> bool:
        """See ``Tracker.is_idle``."""
        return self._tracker.is_idle

    def is_cut(self, frame: Frame) -> bool:
        """Tell whether this frame shows another scene than the one before; call it for each frame, detected or not."""
        return self._cuts is not None and not frame.damaged and self._cuts.is_cut(frame.planes.y)

    def update(self, frame: Frame, detections: Detections | None) -> tuple[list[TrackedFace], list[TrackEnd]]:
        """See ``Tracker.update``; while one scene fades into another, detections do not count."""
        is_mixed = self._cuts is not None and self._cuts.is_fading
        return self._tracker.update(frame.time, None if is_mixed else detections, frame.planes)

    def cut(self) -> list[TrackEnd]:
        """End all tracks at a change of the scene."""
        ends = self._tracker.reset()
        self._cut_tracks += len(ends)
        return ends

    def reset(self) -> list[TrackEnd]:
        """End all tracks and start afresh, as if no frame had come before."""
        if self._cuts is not None:
            self._cuts.reset()
        return self._tracker.reset()
