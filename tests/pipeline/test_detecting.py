from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine.contracts.frames import Detections, Planes
from engine.contracts.links import FrameReady, Refused
from engine.errors import ModelError
from engine.pipeline.detecting import Detecting
from engine.pipeline.model_calls import HOPELESS_CALLS, ModelCalls
from engine.pipeline.overload import Governor
from engine.pipeline.upstream import Upstream
from engine.runtime.channel import Channel, channel_pair
from engine.runtime.worker import WorkerContext

PLANES = Planes(*(np.zeros((size, size), np.uint8) for size in (16, 8, 8)))


class Detector:
    """Fails where its list says so."""

    def __init__(self) -> None:
        self.fails: list[bool] = []

    def detect(self, pictures: list[Planes]) -> list[Detections]:
        if self.fails.pop(0):
            raise ModelError("the detector grey fails: no memory")
        return [Detections.empty()]


class Bench:
    def __init__(self) -> None:
        self.supervisor, control = channel_pair()
        self.decoder, channel = channel_pair()
        self.context = WorkerContext("perceive", control)
        self.detector = Detector()
        self.upstream = Upstream(channel, live=False)
        self.detecting = Detecting(self.detector, ModelCalls(self.context), self.context.telemetry, Governor())  # type: ignore[arg-type]

    def frames(self, *fails: bool, live: bool = False) -> list[Detections | None]:
        self.detector.fails += fails
        link = FrameReady("cam", 1, 0, 2, 16, 16, 0, 0, (1, 25), 0.0, 0, "bt601", False, True, live)
        return [self.detecting.note(self.upstream, link, self.detecting.detect(PLANES)) for _ in fails]

    @property
    def refusals(self) -> list[Refused]:
        return list(_all(self.decoder))


def _all(channel: Channel) -> Iterator[object]:
    while channel.has_message():
        yield channel.receive()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    for channel in (made.supervisor, made.decoder, made.upstream.channel, made.context.control):
        channel.close()


def test_a_frame_on_which_the_detector_fails_is_one_without_detection(bench: Bench):
    found = bench.frames(False, True, False)
    assert [detections is None for detections in found] == [False, True, False]
    counts = bench.context.telemetry.counts
    assert (counts.run["errors.detect"], counts.streams["cam"]["errored"], counts.run["frames_detected"]) == (1, 1, 2)
    assert bench.refusals == []


def test_where_it_fails_from_the_start_the_decoder_is_told_once(bench: Bench):
    bench.frames(*[True] * (HOPELESS_CALLS - 1))
    assert bench.refusals == []
    bench.frames(True, True, True)
    sentence = f"detect failed: the detector grey fails: no memory (none of {HOPELESS_CALLS} calls worked)"
    assert bench.refusals == [Refused("cam", sentence)]


def test_after_one_success_it_is_never_hopeless(bench: Bench):
    bench.frames(False, *[True] * 3 * HOPELESS_CALLS)
    assert bench.refusals == []


def test_a_camera_is_never_given_up(bench: Bench):
    bench.frames(*[True] * 2 * HOPELESS_CALLS, live=True)
    assert bench.refusals == []
    assert bench.context.telemetry.counters["errors.detect"] == 2 * HOPELESS_CALLS
