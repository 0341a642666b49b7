from __future__ import annotations

import numpy as np
import pytest

from engine.runtime.telemetry import Telemetry


def test_totals_and_percentiles():
    telemetry = Telemetry("w")
    for milliseconds in range(1, 101):
        telemetry.record("detect", milliseconds / 1000)
    telemetry.record("enhance", 0.4, items=4)
    telemetry.counters["frames"] += 7
    beat = telemetry.beat(finished=True)
    assert (beat.worker, beat.finished, beat.counts.run) == ("w", True, {"frames": 7})
    assert beat.stages["detect"].items == 100
    assert beat.stages["detect"].busy_seconds == pytest.approx(5.05)
    assert beat.stages["detect"].p50_ms == pytest.approx(50.5)
    assert beat.stages["detect"].p99_ms == pytest.approx(99.01)
    assert beat.stages["enhance"].p50_ms == pytest.approx(100.0), "an item's share of its batch"


@pytest.mark.parametrize("items", [1, 2, 3, 99, 1500])
def test_percentiles_are_those_of_the_newest_items(items: int):
    telemetry, seconds = Telemetry("w"), np.random.default_rng(items).exponential(0.02, items)
    for duration in seconds:
        telemetry.record("track", duration)
    stage = telemetry.beat().stages["track"]
    assert (stage.p50_ms, stage.p99_ms) == pytest.approx(1000 * np.quantile(seconds[-1024:], [0.5, 0.99]))


def test_a_stage_that_raises_is_measured_too():
    telemetry = Telemetry("w")
    with pytest.raises(ValueError, match="x"), telemetry.stage("crop"):
        raise ValueError("x")
    assert telemetry.beat().stages["crop"].items == 1
