"""The state of the service and its cameras, as it is answered: the desired state beside what the run has reported."""

from __future__ import annotations

import time
from collections.abc import Mapping

from engine import __version__
from engine.contracts.messages import StageStats
from engine.control.answers import Event, Status, Stream, Worker
from engine.control.verbs import largest_request
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.service.given_source import shown_source
from engine.service.life import SILENT_SECONDS, Life
from engine.service.streams import Wanted

_EVENTS = 100


def stream_of(one: Wanted, status: StreamStatus | None, fault: str = "") -> Stream:
    """Return one camera.

    Args:
        one: as it should be.
        status: what the run says of it; None: nothing yet.
        fault: why it cannot be read at all.
    """
    source = shown_source(one.source)
    if fault:
        return Stream(name=one.name, source=source, paused=one.paused, state="failed", reason="", detail=fault)
    is_before = status is not None and status.state == "ended" and status.reason == "drained"  # of before it was resumed
    if status is None or (is_before and not one.paused):
        return Stream(name=one.name, source=source, paused=one.paused, state="paused" if one.paused else "connecting")
    return Stream(
        name=one.name,
        source=source,
        paused=one.paused,
        state="paused" if one.paused else status.standing,
        reason="" if one.paused else status.reason,
        detail="" if one.paused else status.detail,
        seconds_in_state=status.seconds_in_state,
        width_px=status.width_px,
        height_px=status.height_px,
        fps=status.fps,
        detections_per_second=status.detections_per_second,
        frames=status.frames,
        faces=status.faces,
        dropped=status.dropped,
        errored=status.errored,
        reconnects=status.reconnects,
        latency_p50_ms=status.latency_p50_ms,
        latency_p99_ms=status.latency_p99_ms,
        funnel=status.funnel,
        reconnects_by=dict(status.reconnects_by),
    )


def streams_of(wanted: Mapping[str, Wanted], run: RunStatus | None, faults: Mapping[str, str]) -> list[Stream]:
    """Return all cameras, by name."""
    told = run.streams if run else {}
    return [stream_of(one, told.get(name), faults.get(name, "")) for name, one in wanted.items()]


def _workers_of(run: RunStatus | None, web: Worker | None) -> list[Worker]:
    """Return the processes of the run, and the web process."""
    workers = run.workers.values() if run else ()
    told = [Worker(name=one.name, alive=one.alive, restarts=one.restarts, pid=one.pid) for one in workers]
    return [*told, web] if web else told


def _events_of(run: RunStatus | None) -> list[Event]:
    """Return the newest lines of the log, oldest first."""
    events = list(run.events)[-_EVENTS:] if run else ()
    return [Event(number=one.number, time_ns=one.time_ns, level=one.level, name=one.name, fields=one.fields) for one in events]


def _stages_of(run: RunStatus | None, seconds: float) -> dict[str, StageStats]:
    """Return the stages of the run, rates over its whole time."""
    stages = run.stages() if run else {}
    return {
        name: StageStats(
            items=one.items,
            items_per_second=one.items / max(seconds, 1e-3),
            p50_ms=one.p50_ms,
            p99_ms=one.p99_ms,
            queue_depth=one.queue_depth,
        )
        for name, one in stages.items()
    }


def why_not_ready(life: Life) -> str:
    """Return why faces are not found now, or may not be; empty: they are."""
    if life.stopping:
        return f"the service is being stopped: {life.stopping}"
    if not life.readiness.ok:
        return life.readiness.detail
    if life.run is None:
        return "no run is active: the next one is starting"
    if life.silent_seconds >= SILENT_SECONDS:
        return f"the run has said nothing for {life.silent_seconds:.0f} s: if it does not recover, restart the service"
    return life.web_fault


def status_of(life: Life, streams: list[Stream]) -> Status:
    """Return the service at this moment."""
    run = life.run
    unready = why_not_ready(life)
    totals = run.totals if run else None
    return Status(
        version=__version__,
        state=life.state,
        ready=not unready,
        ready_detail=unready or life.readiness.detail,
        silent_seconds=life.silent_seconds,
        largest_request_bytes=largest_request(life.config.serve.upload_bytes),
        run_id=life.run_id,
        uptime_seconds=time.monotonic() - life.started,
        overload_level=run.overload_level if run else 0,
        models=life.models,
        endpoint=life.config.publish.endpoint,
        tap=life.tap.messages,
        previews=life.tap.previews,
        workers=_workers_of(run, life.web),
        stages=_stages_of(run, run.seconds if run else 0.0),
        counters=run.counters if run else {},
        drops=dict(totals.drops) if totals else {},
        errors=dict(totals.errors) if totals else {},
        streams=streams,
        events=_events_of(run),
    )
