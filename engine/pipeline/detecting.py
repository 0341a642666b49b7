"""Calls of the detector in threads, and the account of them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.contracts.frames import Detections, Planes
from engine.contracts.orders import Refused
from engine.detect import Detector
from engine.pipeline.links import FrameReady
from engine.pipeline.model_calls import ModelCalls
from engine.pipeline.overload import Governor
from engine.pipeline.upstream import Upstream
from engine.runtime.telemetry import Telemetry


@dataclass(frozen=True)
class Found:
    """What one call brought."""

    detections: Detections | None
    seconds: float
    error: Exception | None = None


class Detecting:
    """Runs a detector; a call that fails costs that frame's faces and nothing else.

    Args:
        detector: open; closed by the caller.
        calls: counts failures.
        telemetry: of the worker.
        governor: is told of each live frame that was detected.
    """

    def __init__(self, detector: Detector, calls: ModelCalls, telemetry: Telemetry, governor: Governor) -> None:
        self._detector, self._calls, self._telemetry, self._governor = detector, calls, telemetry, governor
        self._refused: set[str] = set()

    def detect(self, planes: Planes) -> Found:
        """Look for the faces of one frame; may be called from several threads, and does not raise."""
        start = time.perf_counter()
        try:
            (found,) = self._detector.detect([planes])
        except Exception as error:
            return Found(None, time.perf_counter() - start, error)
        return Found(found, time.perf_counter() - start)

    def note(self, upstream: Upstream, link: FrameReady, found: Found) -> Detections | None:
        """Account for what was found in a frame and return it, None where the call failed; where no call works for a
        recording, tell its decoder to stop.
        """
        telemetry, stream = self._telemetry, link.stream
        if link.live:
            self._governor.note("detect", late=False)
        if found.error is not None:
            self._calls.failed(stream, "detect", found.error)
            hopeless = self._calls.hopeless(stream, "detect")
            if hopeless and not link.live and stream not in self._refused:
                self._refused.add(stream)
                upstream.channel.confirm(Refused(stream, hopeless))
            return None
        self._calls.worked(stream, "detect")
        telemetry.record("detect", found.seconds)
        telemetry.counters["detections"] += len(found.detections or ())
        telemetry.counters["frames_detected"] += 1
        return found.detections
