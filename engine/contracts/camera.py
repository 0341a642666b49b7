"""A camera with all its settings. What a configuration may say of one, of all, and what holds in the end is declared once:
``live`` is ``CameraDefaults``, a camera is ``CameraSettings``, and ``engine.source.cameras`` resolves them by their names.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from engine.contracts.recording import Appearance

Seconds = Annotated[float, msgspec.Meta(gt=0.0, le=1e6)]
NonNegative = Annotated[int, msgspec.Meta(ge=0)]
HardwareDecoding = Literal["auto", "none", "cuda", "vaapi"]
Transport = Literal["tcp", "udp"]


class CameraDefaults(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said once for all cameras."""

    detect_fps: Seconds = 10.0
    """Detections per second and camera at most; tracks are carried over the frames between."""
    connect_seconds: Seconds = 10.0
    """A camera that does not answer within this is tried again."""
    stalled_after_seconds: Seconds = 2.0
    """Without a packet for so long, and for longer than usual, a camera is called stalled; the connection is kept."""
    stall_seconds: Seconds = 10.0
    """Without a packet for so long the connection is given up and made anew."""
    reconnect_first_seconds: Seconds = 0.5
    """Wait before the first attempt to reconnect; each further one waits twice as long, with jitter."""
    reconnect_cap_seconds: Seconds = 8.0
    """Longest wait between two attempts; a refused password always waits ``auth_wait_seconds``."""
    auth_wait_seconds: Seconds = 30.0
    """Cameras lock accounts after a few wrong passwords."""
    stable_seconds: Seconds = 60.0
    """A connection that lasted so long resets the waiting time."""
    max_reconnects: NonNegative | None = None
    """Attempts in a row after which a camera is given up; None: never."""
    hwaccel: HardwareDecoding = "auto"
    """Hardware decoding where this machine and its FFmpeg can; software otherwise, with the reason said."""
    crop_wait_ms: Annotated[float, msgspec.Meta(ge=0.0, le=2000.0)] = 250.0
    """Of a camera with ``crop_uri``: a face waits so long for the main stream's picture, and is then cut from the small one."""


class CameraSettings(CameraDefaults, frozen=True, kw_only=True):
    """What holds for one camera."""

    transport: Transport = "tcp"
    """RTSP only: how the pictures travel."""
    silent_by_design: bool = False
    """It sends only when something happens: silence is neither a stall nor a reason to reconnect."""
    options: dict[str, str] = {}
    """FFmpeg's own options of the protocol or device."""


class Camera(CameraSettings, frozen=True):
    """A live source with all its settings. ``url`` may hold credentials: show ``shown`` instead."""

    name: str
    url: str
    """As FFmpeg opens it, or the path of a V4L2 device."""
    shown: str
    """The same without credentials, for messages."""
    appearance: Appearance = Appearance()
    crop_url: str = ""
    """Of its main stream, from which faces are cut, as ``url``; empty: they are cut from the stream that is looked at."""
    crop_shown: str = ""
    """The same without credentials."""
    credentials: str = ""
    """The file that user and password of both are from; empty: they are none, or stand in the configuration."""
    credentials_hosts: str = ""
    """The file that lists the hosts to which they may be sent, see ``engine.source.password_hosts``; empty: to this camera."""
    networks: tuple[str, ...] | None = None
    """Where it must be, see ``Networks``, wherever its name or a redirection leads; None: anywhere."""

    permit: str = ""
    """A file that says until when it may be read, see ``engine.fleet.permit``; empty: for ever."""

    @property
    def main(self) -> Camera | None:
        """The main stream as a camera of its own, None where there is none."""
        if not self.crop_url:
            return None
        return msgspec.structs.replace(self, url=self.crop_url, shown=self.crop_shown, crop_url="", crop_shown="")

    @property
    def is_device(self) -> bool:
        """Whether it is a V4L2 device of this machine."""
        return self.url.startswith("/dev/")

    def __repr__(self) -> str:
        return f"Camera({self.name!r}, {self.shown!r})"
