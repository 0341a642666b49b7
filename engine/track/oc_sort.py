"""OC-SORT (Cao et al. 2023) from the library ``trackers``, which is an extra because it depends on SciPy and Matplotlib."""

from __future__ import annotations

import importlib.util
import itertools
from typing import Any

import numpy as np

from engine.contracts.frames import Float32
from engine.errors import MissingRuntimeError

_UNIT_FRAMES_PER_SECOND = 30
"""The library counts its buffer of lost tracks in frames of 1/30 s, whatever the rate."""


def check_installed() -> None:
    """Check for the library without importing it.

    Raises:
        MissingRuntimeError: it is not installed.
    """
    if importlib.util.find_spec("trackers") is None:
        raise MissingRuntimeError(
            "track.method ocsort needs trackers, which is not installed: pip install 'facestream[ocsort]'"
        )


class OcSort:
    """Follows boxes as ``ByteTrack`` does. Ids are given here: the library gives a box one only at its second detection."""

    def __init__(self, frame_rate: float, lost_seconds: float, near: float) -> None:
        """Start without boxes; the library takes about a second to import.

        Args:
            frame_rate: nominal, in frames per second.
            lost_seconds: a box that is not seen for longer is forgotten; rounded to 1/30 s.
            near: boxes are enlarged on each side by this share of their width and height before their overlap is computed.

        Raises:
            MissingRuntimeError: the library is not installed.
        """
        check_installed()
        import trackers
        from trackers.utils.iou import BIoU

        self._library = trackers.OCSORTTracker(
            lost_track_buffer=max(1, round(lost_seconds * _UNIT_FRAMES_PER_SECOND)),
            frame_rate=frame_rate,
            minimum_consecutive_frames=1,
            high_conf_det_threshold=0.0,
            iou=BIoU(buffer_ratio=near),
        )
        self._numbers = itertools.count()

    def reset(self) -> None:
        """Forget all boxes; ids are not reused."""
        self._library.reset()

    @property
    def ids(self) -> list[int]:
        """Ids of the boxes that are followed, whether or not they were seen just now."""
        return [tracklet.tracker_id for tracklet in self._library.tracks]

    def update(self, corners: Float32, scores: Float32, seconds: float) -> list[tuple[int, int]]:
        """Take the next detections; see ``ByteTrack.update``."""
        import supervision

        given = supervision.Detections(xyxy=corners, confidence=scores, data={"index": np.arange(len(corners))})
        matched: Any = self._library.update(given, timestamp=seconds)
        if not len(matched):
            return []
        pairs = list(zip(matched.data["index"].tolist(), matched.tracker_id.tolist(), strict=True))
        new = [index for index, number in pairs if number < 0]
        begun = [tracklet for tracklet in self._library.tracks if tracklet.tracker_id == -1]
        for tracklet in begun:
            tracklet.tracker_id = next(self._numbers)
        # The library lists boxes that start in this frame in the order of their detections.
        return [pair for pair in pairs if pair[1] >= 0] + [
            (index, tracklet.tracker_id) for index, tracklet in zip(new, begun, strict=True)
        ]
