"""Runs as they may stand, made by hand."""

from __future__ import annotations

import time

from engine.contracts.counts import Counts
from engine.contracts.streams import StreamChanged
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.runtime.protocol import Beat, StageBeat

SECRET = "sesame"


def status_of(*names: str) -> RunStatus:
    """Return a run of live cameras; the first one has 1234 faces."""
    status = RunStatus({name: StreamStatus(name) for name in names}, started=time.monotonic() - 3725)
    for name in names:
        status.take_event(StreamChanged(name, "live", width_px=640, height_px=480))
        counters = Counts({"frames": 250}, {name: {"frames": 250, "dropped": 3}}, {"no_slot": 3})
        status.take_beat(Beat(f"camera-{name}", {}, counters))
    status.take_beat(Beat("enhance-1", {}, Counts({"faces": 1234}, {names[0]: {"faces": 1234}})))
    status.take_beat(Beat("publish", {}, Counts(), latencies={names[0]: StageBeat(9, 1.0, 48.4, 131.9)}))
    return status


def stall(status: RunStatus, name: str) -> None:
    status.take_event(StreamChanged(name, "stalled", "timeout", "rtsp://192.0.2.1/x has sent no picture for 2.3 s"))


def fail(status: RunStatus, name: str) -> None:
    status.take_event(StreamChanged(name, "failed", "auth", f"rtsp://admin:{SECRET}@192.0.2.1/x refuses the password"))


def overload(status: RunStatus, level: int) -> None:
    status.take_beat(Beat("perceive", {}, Counts({"overload.level": level})))
