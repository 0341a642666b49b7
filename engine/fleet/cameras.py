"""What a node's agent asks of the service that it is part of."""

from __future__ import annotations

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
        """Whether a camera is read, or may be before long."""

    def load(self) -> Load:
        """Return how much there is to do, since the last call."""
