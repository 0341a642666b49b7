"""Which workers hang: no sign of life from the process, or no packet from a camera whose process says nothing either."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.contracts.camera import Camera
from engine.runtime.awake import AwakeClock

_GRACE_SECONDS = 10.0
"""FFmpeg's own time-outs, and the decoder's, come first."""


class Watchdog:
    """Remembers when each worker was last heard of. While this process was stopped, so were the workers: that is no silence.

    Nor is the time, of the second half of its silence, in which a worker had work and no core to do it: on a machine that does
    eight times what it can, healthy workers were killed.

    Args:
        hung_seconds: a worker that is silent for longer hangs.
        cameras: worker name to camera; FFmpeg can hang past its own time-outs while the process still beats, so the age of a
            camera's last packet, or of its last change of state, is watched too.
        waits: returns for each thread of a worker how many seconds it has waited for a core in all, see ``waits_of``.
    """

    def __init__(
        self, hung_seconds: float, cameras: Mapping[str, Camera], waits: Callable[[str], Mapping[int, float]] = lambda name: {}
    ) -> None:
        self._hung_seconds = hung_seconds
        self._waits = waits
        self._clock = AwakeClock()
        self.cameras = cameras
        """Worker name to camera, as of now."""
        self._deadline_of_life: dict[str, float] = {}
        self._waited: dict[str, Mapping[int, float]] = {}
        """Of those that have been silent for some time."""
        self._packets: dict[str, tuple[int, float]] = {}

    def begin(self, name: str, seconds: float = 0.0) -> None:
        """Watch a worker, which may be silent for ``seconds`` first."""
        now = self._clock.now()
        self._waited.pop(name, None)
        self._deadline_of_life[name] = now + max(seconds, self._hung_seconds)
        if name in self.cameras:
            self._packets[name] = (-1, now + seconds)

    def forget(self, name: str) -> None:
        """Stop watching a worker that is gone."""
        self._deadline_of_life.pop(name, None)
        self._waited.pop(name, None)
        self._packets.pop(name, None)

    def saw(self, name: str) -> None:
        """A worker said something."""
        if name in self._deadline_of_life:
            self._deadline_of_life[name] = self._clock.now() + self._hung_seconds
            self._waited.pop(name, None)

    def saw_event(self, name: str) -> None:
        """A camera's state changed."""
        if name in self._packets:
            self._packets[name] = (self._packets[name][0], self._clock.now())

    def saw_packets(self, name: str, counters: Mapping[str, int]) -> None:
        """A camera's worker told how many packets it has read."""
        if name in self._packets and (count := counters.get("packets", 0)) != self._packets[name][0]:
            self._packets[name] = (count, self._clock.now())

    def hung(self) -> list[tuple[str, str]]:
        """Return the workers that hang, each with the reason for a person; each is named once."""
        now = self._clock.now()
        found = [
            (name, f"gave no sign of life for {self._hung_seconds:g} s (supervise.hung_seconds)")
            for name in list(self._deadline_of_life)
            if self._is_silent(name, now)
        ]
        for name, (_, since) in self._packets.items():
            camera = self.cameras[name]
            waits = (camera.connect_seconds, camera.stall_seconds, camera.reconnect_cap_seconds, camera.auth_wait_seconds)
            if not camera.silent_by_design and now - since > max(waits) + _GRACE_SECONDS:
                found.append((name, f"had no packet and no news from {camera.shown} for {now - since:.0f} s"))
        for name, _ in found:
            self.forget(name)
        return found

    def _is_silent(self, name: str, now: float) -> bool:
        """Whether a worker's time is over, to which is added what it has waited for a core meanwhile."""
        deadline = self._deadline_of_life[name]
        if name not in self._waited and now > deadline - self._hung_seconds / 2:
            self._waited[name] = self._waits(name)
        if now <= deadline:
            return False
        before = self._waited[name]
        waited = max((seconds - before.get(thread, 0.0) for thread, seconds in self._waits(name).items()), default=0.0)
        return now > deadline + waited
