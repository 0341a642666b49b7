"""What a node's agent asks of the service that it is part of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engine.fleet.file import FleetCamera
from engine.fleet.view import Load


class Cameras(Protocol):
    """The placed cameras of one service. From any thread."""

    def start(self, camera: FleetCamera, *, keeps: bool) -> str:
        """Let a camera be read, or be read with other settings.

        Args:
            camera: which.
            keeps: it needs no permission, as no other node may have it.

        Returns:
            Why it cannot be read here; empty: it can.
        """

    def stop(self, name: str) -> None:
        """Read a camera no longer; nothing happens where it is not read."""

    def may_run(self, name: str) -> bool:
        """Whether something of a camera may still be published, or may be before long: it may while it is read, and until
        publish has passed its last state."""

    def tell(self, ring: Callable[[], None]) -> None:
        """Call this, from any thread, when ``may_run`` has become false of some camera."""

    def load(self) -> Load:
        """Return how much there is to do, since the last call."""
