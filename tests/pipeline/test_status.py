from __future__ import annotations

import pytest

from engine.contracts.links import Beat, StageBeat, StreamChanged
from engine.pipeline.status import RunStatus


def test_totals_are_summed_over_workers_and_stages_merged():
    status = RunStatus()
    status.take_beat(Beat("decode-1", {"decode": StageBeat(10, 1.0, 1.0, 2.0)}, {"frames": 10, "frames.a": 10}))
    status.take_beat(Beat("decode-2", {"decode": StageBeat(5, 0.5, 3.0, 4.0)}, {"frames": 5, "frames.b": 5}))
    assert status.counters == {"frames": 15, "frames.a": 10, "frames.b": 5}
    assert status.frames_of("b") == 5
    merged = status.stages()["decode"]
    assert (merged.items, merged.busy_seconds, merged.p50_ms, merged.p99_ms) == (15, 1.5, 3.0, 4.0)


def test_the_publishers_last_beat_holds_everything_and_is_not_added_to_the_rest():
    status = RunStatus()
    status.take_beat(Beat("decode-1", {}, {"frames": 10}))
    status.take_beat(Beat("publish", {}, {"frames": 10, "published": 3}, finished=True))
    assert status.counters == {"frames": 10, "published": 3}


def test_rates_are_since_the_stats_before(monkeypatch: pytest.MonkeyPatch):
    clock = [100.0]
    monkeypatch.setattr("engine.pipeline.status.time.monotonic", lambda: clock[0])
    status = RunStatus(started=100.0)
    clock[0] = 101.0
    status.take_beat(Beat("perceive", {"detect": StageBeat(20, 1.0, 1.0, 1.0)}, {}))
    assert status.stats().stages["detect"].items_per_second == pytest.approx(20)
    clock[0] = 103.0
    status.take_beat(Beat("perceive", {"detect": StageBeat(50, 2.0, 1.0, 1.0)}, {}))
    assert status.stats().stages["detect"].items_per_second == pytest.approx(15)


def test_a_streams_life():
    status = RunStatus()
    status.take_event(StreamChanged("cam", "live", width_px=640, height_px=480, frames_expected=100))
    status.take_event(StreamChanged("cam", "failed", "truncated", "it breaks off"))
    stream = status.streams["cam"]
    assert stream.is_over
    assert (stream.width_px, stream.frames_expected, stream.reason) == (640, 100, "truncated")
