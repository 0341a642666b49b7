"""The cameras that a fleet places on this service: what its agent may do here, and what the service tells it of its load."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from engine.errors import FacestreamError
from engine.fleet.file import FleetCamera
from engine.fleet.view import Load
from engine.service.build import Parts
from engine.service.refusal import Refusal
from engine.service.standing import why_not_ready
from engine.service.streams import Wanted

_STAT = Path("/proc/stat")


class PlacedCameras:
    """See ``engine.fleet.cameras.Cameras``.

    A camera that is placed here is one that others give, whoever may write to the database of the fleet: it must be in a
    network of ``serve.cameras_in``, and names a file of ``credentials/`` that may be sent to its host, see docs/service.md.

    Args:
        parts: of the service.
        permit: the file that says until when they may be read.
    """

    def __init__(self, parts: Parts, permit: Path) -> None:
        self._parts, self._permit = parts, permit
        self._times = _processor_times()
        self._ran = self._well = time.monotonic()
        self._streams: frozenset[str] = frozenset()

    def start(self, camera: FleetCamera, *, keeps: bool) -> str:
        """Let a camera be read, or read with other settings; return why it cannot be, or nothing. It may ask a name server."""
        parts = self._parts
        try:
            accepted = parts.streams.given.accept(camera.source)
            if accepted.login:
                return "its address holds a user or password, which belong into a file of credentials/ on each node"
            parts.streams.given.logins.check(accepted.source, parts.state.desired)
            with parts.state.lock:
                permit = "" if keeps else str(self._permit)
                parts.streams.place(parts.state.desired, Wanted(camera.name, accepted.source, False, True, permit))
        except Refusal as refusal:
            return refusal.problem.message
        except FacestreamError as error:
            return str(error)
        return ""

    def stop(self, name: str) -> None:
        """Read a camera no longer."""
        with self._parts.state.lock:
            self._parts.streams.displace(self._parts.state.desired, name)

    def may_run(self, name: str) -> bool:
        """Whether something of a camera may still be published, or may be before long."""
        return name in self._parts.streams.placed or self._parts.life.may_read(name)

    def tell(self, ring: Callable[[], None]) -> None:
        """Call this when ``may_run`` has become false of some camera."""
        self._parts.life.on_gone = ring

    def load(self) -> Load:
        """Return how much there is to do, since the last call."""
        life = self._parts.life
        run, now = life.run, time.monotonic()
        if run is not None:
            self._ran = now
        before, self._times = self._times, _processor_times()
        busy, total = (after - then for after, then in zip(self._times, before, strict=True))
        streams = run.wanted.values() if run else ()
        names = frozenset(self._parts.streams.placed)
        if not (run and run.overload_level) or names != self._streams:
            self._well, self._streams = now, names
        return Load(
            running=run is not None and not life.stopping,
            down_seconds=round(now - self._ran, 1),
            streams=len(streams),
            cores=os.cpu_count() or 1,
            cpu_share=round(busy / total, 3) if total > 0 else 0.0,
            overload_level=run.overload_level if run else 0,
            overloaded_seconds=round(now - self._well, 1),
            p99_ms=round(max((one.latency_p99_ms or 0.0 for one in streams), default=0.0), 1),
            ready=not why_not_ready(life),
        )


def _processor_times() -> tuple[int, int]:
    """Return how long this machine's processors have worked, and how long there were any, in ticks."""
    times = [int(word) for word in _STAT.read_text("ascii").split("\n", 1)[0].split()[1:9]]
    total = sum(times)
    return total - times[3] - times[4], total
