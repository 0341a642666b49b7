"""FFmpeg's options for cameras: open quickly, do not buffer, and time out."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import av

from engine.contracts.camera import Camera
from engine.contracts.camera_tls import verification_of

# Lines of FFmpeg's log would call back into Python from its own threads, and may hold a URL with its password.
av.logging.set_level(None)

READ_GRACE_SECONDS = 1.0
REORDER_SECONDS = 0.1
"""UDP: how long to wait for a packet that was overtaken by others."""
RECEIVE_BUFFER_BYTES = 1 << 20
"""UDP: a key frame arrives in one burst. The kernel may allow less."""
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935, "rtmps": 443}
_WEB = "http,https,httpproxy,tcp,tls,crypto,data"
_WHITELISTS = {
    "rtsp": "rtp,udp,tcp", "rtsps": "rtp,srtp,udp,tcp,tls", "http": _WEB, "https": _WEB, "udp": "udp", "tcp": "tcp",
    "srt": "srt", "rtp": "rtp,udp", "rtmp": "rtmp,tcp", "rtmps": "rtmps,tls,tcp",
}  # fmt: skip
"""Allowed protocols: a playlist must not read files of this machine."""
_AT_ONCE = {"probesize": "32", "analyzeduration": "1"}
"""Options for a stream that is known and need not be probed."""
_SENT_ON = {"rtsp": ",rtsp,rtsps,srtp,tls", "rtsps": ",rtsps"}
"""Protocols to which a camera may redirect its readers: FFmpeg sends the password along, to whichever host it names."""


@dataclass(frozen=True)
class OpenPlan:
    """The arguments of ``av.open``. ``url`` may hold credentials."""

    url: str
    format: str | None
    options: dict[str, str]

    def __repr__(self) -> str:
        return f"OpenPlan({scheme_of(self.url)}, {self.format})"


def scheme_of(url: str) -> str:
    """Return ``rtsp``, ``http``, ...; empty for a device."""
    return urlsplit(url).scheme.lower()


def is_http(url: str) -> bool:
    """Whether the pictures come over HTTP, as JPEG or as a stream."""
    return scheme_of(url) in {"http", "https"}


def server_port(url: str) -> int | None:
    """Return the TCP port of a URL; None if there is none."""
    try:
        return urlsplit(url).port or _PORTS.get(scheme_of(url))
    except ValueError:
        return None


def is_udp(camera: Camera) -> bool:
    """Whether the pictures arrive in datagrams, which may be lost."""
    scheme = scheme_of(camera.url)
    return scheme in {"udp", "rtp"} or (scheme == "rtsp" and camera.transport == "udp")


def read_timeout_seconds(camera: Camera) -> float | None:
    """Return after how long FFmpeg itself gives up a read without data; None: never.

    It is a little more than ``stall_seconds``: the decoder should give up first and say why; this is only a safeguard.
    """
    return None if camera.silent_by_design else camera.stall_seconds + READ_GRACE_SECONDS


def plan_of(camera: Camera, kind: str | None = None) -> OpenPlan:
    """Return how to open a camera; ``camera.options`` take precedence.

    Args:
        camera: the source.
        kind: FFmpeg's name of the format that it is known to send; None: unknown.
    """
    scheme = scheme_of(camera.url)
    if camera.is_device:
        return OpenPlan(camera.url, "v4l2", dict(camera.options))
    is_followed = camera.networks is None and "@" not in urlsplit(camera.url).netloc
    sent_on = _SENT_ON.get(scheme, "") if is_followed else ""
    options = {"protocol_whitelist": _WHITELISTS.get(scheme, scheme) + sent_on}
    # The rate comes from the stream or stays unknown: measuring it would hold back the first second.
    options["fpsprobesize"] = "0"
    if scheme in {"rtsp", "rtsps"}:
        # The session description names the codec, so that nothing need be analysed; and "nobuffer" would throw away what was
        # read while opening, which often is the key frame.
        options |= _AT_ONCE | {"allowed_media_types": "video"}
        options["rtsp_transport"] = "tcp" if scheme == "rtsps" else camera.transport
    else:
        options |= _AT_ONCE if kind else {"probesize": "1000000", "analyzeduration": "500000"}
    if is_http(camera.url):  # FFmpeg counts 25 JPEG pictures a second, and would analyse 14 of a camera that gives few
        options["framerate"] = "1"
    if is_udp(camera):
        options |= {"max_delay": str(round(REORDER_SECONDS * 1e6)), "buffer_size": str(RECEIVE_BUFFER_BYTES)}
    if scheme == "udp":
        options["overrun_nonfatal"] = "1"
    if verification_of(camera.options).wanted:
        options["tls_verify"] = "1"
    timeout = read_timeout_seconds(camera)
    if timeout is not None:
        microseconds = str(round(timeout * 1e6))
        if scheme not in {"rtmp", "rtmps"}:  # there the option means how long to listen, in seconds
            options["timeout"] = microseconds
        if scheme not in {"rtsp", "rtsps"}:
            options["rw_timeout"] = microseconds
    return OpenPlan(camera.url, kind, options | dict(camera.options))
