from __future__ import annotations

import numpy as np
import pytest

from engine.contracts.frames import Detections, Planes
from engine.contracts.orders import Warned
from engine.errors import DeviceLostError, InferenceError
from engine.perception.detecting import Detecting
from engine.perception.overload import Governor
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import HOPELESS_CALLS, ModelCalls

PLANES = Planes(*(np.zeros((size, size), np.uint8) for size in (16, 8, 8)))


class Detector:
    """Fails where its list says so."""

    def __init__(self) -> None:
        self.fails: list[bool] = []
        self.spoilt: list[Planes] = []
        self.error: Exception = InferenceError("the detector grey fails: no memory")

    def detect(self, pictures: list[Planes]) -> list[Detections]:
        if (self.fails and self.fails.pop(0)) or any(picture is one for picture in pictures for one in self.spoilt):
            raise self.error
        return [Detections.empty()] * len(pictures)


class Bench:
    def __init__(self) -> None:
        self.telemetry = Telemetry("perceive")
        self.detector = Detector()
        self.warnings: list[Warned] = []
        calls = ModelCalls(self.telemetry.counts, lambda *said: self.warnings.append(Warned(*said)))
        self.detecting = Detecting(self.detector, calls, self.telemetry, Governor())  # type: ignore[arg-type]
        self.refusals: list[str] = []

    def frames(self, *fails: bool, live: bool = False) -> list[Detections | None]:
        self.detector.fails += fails
        found = []
        for _ in fails:
            found.append(self.detecting.note("cam", *self.detecting.detect([PLANES]), live=live))
            if not live:
                self.refusals += filter(None, [self.detecting.take_refusal("cam")])
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_frame_on_which_the_detector_fails_is_one_without_detection(bench: Bench):
    found = bench.frames(False, True, False)
    assert [detections is None for detections in found] == [False, True, False]
    counts = bench.telemetry.counts
    assert (counts.errors["detect"], counts.streams["cam"]["errored"], counts.run["frames_detected"]) == (1, 1, 2)
    assert bench.refusals == []


def test_where_it_fails_from_the_start_the_decoder_is_told_once(bench: Bench):
    bench.frames(*[True] * (HOPELESS_CALLS - 1))
    assert bench.refusals == []
    bench.frames(True, True, True)
    sentence = f"detect failed: the detector grey fails: no memory (none of {HOPELESS_CALLS} calls worked)"
    assert bench.refusals == [sentence]


def test_after_one_success_it_is_never_hopeless(bench: Bench):
    bench.frames(False, *[True] * 3 * HOPELESS_CALLS)
    assert bench.refusals == []


def test_a_camera_is_never_given_up(bench: Bench):
    bench.frames(*[True] * 2 * HOPELESS_CALLS, live=True)
    assert len(bench.warnings) == 1
    assert bench.telemetry.counts.errors["detect"] == 2 * HOPELESS_CALLS


def test_one_frame_of_several_costs_no_other(bench: Bench):
    pictures = [Planes(*(np.zeros((size, size), np.uint8) for size in (16, 8, 8))) for _ in range(4)]
    bench.detector.spoilt = [pictures[2]]
    found = bench.detecting.detect(pictures)
    assert [one.error is not None for one in found] == [False, False, True, False]
    assert bench.detecting.detect([]) == []


def test_a_device_that_is_lost_is_no_failure_of_a_frame(bench: Bench):
    bench.detector.spoilt, bench.detector.error = [PLANES], DeviceLostError("the device that computes grey is lost: Xid")
    with pytest.raises(DeviceLostError):
        bench.detecting.detect([PLANES, PLANES])
