"""Calls of the detector, which may run in several threads, and the account of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from engine.contracts.frames import Detections, Planes
from engine.detect.detector import Detector
from engine.errors import DeviceLostError
from engine.perception.overload import Governor
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls


@dataclass(frozen=True)
class Found:
    """What one frame brought."""

    detections: Detections | None
    seconds: float
    """Its share of the call."""
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

    def detect(self, pictures: Sequence[Planes]) -> list[Found]:
        """Look for the faces of some frames; may be called from several threads.

        Where all together fail, each is looked at alone, so that one frame costs no other.

        Raises:
            DeviceLostError: nothing can be computed any more.
        """
        start = time.perf_counter()
        try:
            found = self._detector.detect(pictures)
        except DeviceLostError:
            raise
        except Exception as error:
            if len(pictures) == 1:
                return [Found(None, time.perf_counter() - start, error)]
            return [each for picture in pictures for each in self.detect([picture])]
        seconds = (time.perf_counter() - start) / max(1, len(pictures))
        return [Found(detections, seconds) for detections in found]

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
        self._telemetry.counts.of_stream(stream, "detections")
        self._telemetry.counts.of_stream(stream, "found", len(found.detections or ()))
        return found.detections

    def take_refusal(self, stream: str) -> str:
        """Return, once, why no more of a recording should be read: no call works; empty otherwise."""
        sentence = "" if stream in self._refused else self._calls.hopeless(stream, "detect")
        if sentence:
            self._refused.add(stream)
        return sentence
