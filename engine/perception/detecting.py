"""Calls of the detector, which may run in several threads, and the account of them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from engine.contracts.frames import Detections, Planes
from engine.contracts.model_calls import ModelCalls
from engine.detect import Detector
from engine.perception.overload import Governor
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
        telemetry: counts the rest.
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

    def note(self, stream: str, found: Found, *, live: bool) -> Detections | None:
        """Account for what was found in a frame and return it, None where the call failed."""
        if live:
            self._governor.note("detect", late=False)
        if found.error is not None:
            self._calls.failed(stream, "detect", found.error)
            return None
        self._calls.worked(stream, "detect")
        self._telemetry.record("detect", found.seconds)
        self._telemetry.counters["detections"] += len(found.detections or ())
        self._telemetry.counters["frames_detected"] += 1
        return found.detections

    def take_refusal(self, stream: str) -> str:
        """Return, once, why no more of a recording should be read: no call works; empty otherwise."""
        sentence = "" if stream in self._refused else self._calls.hopeless(stream, "detect")
        if sentence:
            self._refused.add(stream)
        return sentence
