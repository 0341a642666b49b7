"""The cameras that a node holds: each under its lock from before it is started until after it has stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from engine.fleet.cameras import Cameras
from engine.fleet.file import FleetCamera
from engine.fleet.lease import Lease, Placed
from engine.fleet.rows import CANNOT_BE_READ

_HANDS = 4
"""To start a camera may wait for a name server."""
_LOOK_SECONDS = 0.05
_REFUSED_SECONDS = 30.0


@dataclass
class _Held:
    """One camera."""

    camera: FleetCamera
    """As it was started."""
    started: Future[str]
    is_lost: bool = False
    """It is to be stopped, and only then perhaps taken anew."""


class HeldCameras:
    """For the thread of the lease, but for ``stop_all``.

    Args:
        node: the name of this node.
        cameras: of the service.
        remember: keeps, on the disk, which cameras are held.
    """

    def __init__(self, node: str, cameras: Cameras, remember: Callable[[tuple[FleetCamera, ...]], None]) -> None:
        self._node, self._cameras, self._remember = node, cameras, remember
        self._held: dict[str, _Held] = {}
        self._hands = ThreadPoolExecutor(_HANDS, "fleet-start")
        self._refused: dict[str, float] = {}

    def resume(self, remembered: Iterable[FleetCamera], *, goes_on: bool) -> None:
        """Begin as the process before this one has ended.

        Args:
            remembered: what it had.
            goes_on: its permission is still good; else only what no other node may have is read.
        """
        for camera in remembered:
            if goes_on or self._keeps(camera):
                self._start(camera)

    def follow(self, lease: Lease, rows: Iterable[Placed]) -> bool:
        """Do what the placements say, as far as it can be done now; return whether something is left to do."""
        rows = list(rows)
        for name in (row.name for row in rows if row.is_unreadable and row.node == self._node):
            self._refuse(lease, name)
        mine = {row.name: row.camera for row in rows if row.node == self._node and row.camera is not None}
        busy = self._leave(lease, [name for name, one in self._held.items() if one.is_lost or name not in mine])
        for row in rows:
            if row.holder == self._node and row.name not in self._held and row.name not in mine:
                if self._cameras.may_run(row.name):
                    busy = True
                else:
                    lease.give_back(row.name)
        new = [camera for name, camera in mine.items() if name not in self._held]
        taken = [camera for camera in new if not self._cameras.may_run(camera.name) and lease.take(camera)]
        if taken:
            self._remember((*(one.camera for one in self._held.values()), *taken))
        for camera in taken:
            self._start(camera)
        kept = {row.name: row.kept for row in rows}
        for name in sorted(name for name, one in self._held.items() if name in mine and not one.is_lost):
            busy |= self._look_after(lease, mine[name], kept[name])
        return busy or len(taken) < len(new)

    def reclaim(self, lease: Lease, wait_seconds: float) -> None:
        """Under a new session take again what is read here; stop what is another node's now, and wait briefly for that."""
        mine = {row.name for row in lease.placed() if row.node == self._node and row.camera is not None}
        for name, one in self._held.items():
            one.is_lost = one.is_lost or name not in mine or not lease.take(one.camera)
        lost = [name for name, one in self._held.items() if one.is_lost]
        for name in lost:
            self._cameras.stop(name)
        until = time.monotonic() + wait_seconds
        while any(map(self._cameras.may_run, lost)) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)

    def stop_all(self) -> list[str]:
        """Stop what may be read only while the permission is good; return what was not stopped yet. From any thread."""
        lost = {name: one for name, one in list(self._held.items()) if not one.is_lost and not self._keeps(one.camera)}
        for name, one in lost.items():
            one.is_lost = True
            self._cameras.stop(name)
        return list(lost)

    def close(self) -> None:
        """Start nothing more."""
        self._hands.shutdown(wait=False, cancel_futures=True)

    def _keeps(self, camera: FleetCamera) -> bool:
        return camera.only == self._node

    def _start(self, camera: FleetCamera) -> None:
        started = self._hands.submit(self._cameras.start, camera, keeps=self._keeps(camera))
        self._held[camera.name] = _Held(camera, started)

    def _remember_held(self) -> None:
        self._remember(tuple(one.camera for one in self._held.values()))

    def _refuse(self, lease: Lease, name: str) -> None:
        """Let another node have one that cannot be read here; where none can, that is not said at each turn."""
        now = time.monotonic()
        if name not in self._refused or now - self._refused[name] > _REFUSED_SECONDS:
            self._refused[name] = now
            lease.report_fault(name, CANNOT_BE_READ)

    def _look_after(self, lease: Lease, camera: FleetCamera, kept: bool) -> bool:
        """See to one that is placed here and held; return whether something is left to do."""
        one = self._held[camera.name]
        if not one.started.done():
            return True
        if fault := _fault(one.started):
            lease.report_fault(camera.name, fault)
            return self._leave(lease, [camera.name])
        if one.camera != camera:
            if self._keeps(camera) and not lease.take(camera):  # that nobody takes it over is said before it is so
                return True
            self._start(camera)
            self._remember_held()
            return True
        if kept != self._keeps(camera):
            lease.take(camera)
        return False

    def _leave(self, lease: Lease, names: Iterable[str]) -> bool:
        """Stop cameras, and give back those that have stopped; return whether some have not."""
        left = False
        for name in names:
            self._cameras.stop(name)
            if not self._held[name].started.done() or self._cameras.may_run(name):
                left = True
                continue
            del self._held[name]
            self._remember_held()  # before another node may have it
            lease.give_back(name)
        return left


def _fault(started: Future[str]) -> str:
    """Return why a camera could not be started."""
    error = started.exception()
    return str(error) or type(error).__name__ if error is not None else started.result()
