"""A live source with all its settings."""

from __future__ import annotations

import msgspec

from engine.contracts.recording import Appearance


class Camera(msgspec.Struct, frozen=True):
    """A live source with all its settings. ``url`` may hold credentials: show ``shown`` instead."""

    name: str
    url: str
    """As FFmpeg opens it, or the path of a V4L2 device."""
    shown: str
    """The same without credentials, for messages."""
    transport: str = "tcp"
    connect_seconds: float = 10.0
    stalled_after_seconds: float = 2.0
    stall_seconds: float = 10.0
    silent_by_design: bool = False
    reconnect_first_seconds: float = 0.5
    reconnect_cap_seconds: float = 8.0
    auth_wait_seconds: float = 30.0
    stable_seconds: float = 60.0
    max_reconnects: int | None = None
    hwaccel: str = "auto"
    detect_fps: float = 10.0
    appearance: Appearance = Appearance()
    options: dict[str, str] = {}

    @property
    def is_device(self) -> bool:
        """Whether it is a V4L2 device of this machine."""
        return self.url.startswith("/dev/")

    def __repr__(self) -> str:
        return f"Camera({self.name!r}, {self.shown!r})"
