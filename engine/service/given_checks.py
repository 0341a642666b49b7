"""What a camera may say that is given while the service runs."""

from __future__ import annotations

import re

from engine.config import SourceConfig
from engine.errors import ConfigError
from engine.service.refusal import Refusal
from engine.source.camera_url import CameraUrl, lacking_schemes, looks_like_url, parse_camera_url
from engine.source.cameras import is_camera
from engine.words.redaction import names_secret

ADDRESSES = tuple(key for key in ("uri", "crop_uri") if key in SourceConfig.__struct_fields__)
"""Keys of a source that hold addresses."""
SCHEMES = ("rtsp", "rtsps", "http", "https", "srt", "rtmp", "rtmps")
"""Of cameras that are called. Those that wait to be called (udp, tcp with listen) open a port here."""
OPTIONS = frozenset({
    "rtsp_transport", "rtsp_flags", "user_agent", "tls_verify", "verify", "min_port", "max_port", "reorder_queue_size",
    "buffer_size", "max_delay", "video_size", "framerate", "input_format", "pixel_format", "latency",
})  # fmt: skip
"""FFmpeg's own that a camera may be given: none of them names a file, a protocol, a host or a header."""
_FLAGS = {"rtsp_flags": {"filter_src", "prefer_tcp", "satip_raw"}}
_TEXT = re.compile(r"[\x20-\x7e]{0,256}")
_UNUSUAL = re.compile(r"[\s\\\x00-\x1f\x7f]")
"""What some readers of addresses take for the end of a host, and others do not."""
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


def addresses_of(source: SourceConfig) -> dict[str, CameraUrl]:
    """Return the addresses of a source, by key; devices are none.

    Raises:
        ConfigError: one is wrong.
    """
    given = {key: str(getattr(source, key)) for key in ADDRESSES}
    return {key: parse_camera_url(text) for key, text in given.items() if text and looks_like_url(text)}


def check_given(source: SourceConfig, *, devices: bool) -> None:
    """Check what a source says, whatever network its addresses are in.

    Args:
        source: as it was given.
        devices: whether cameras of this machine are allowed.

    Raises:
        Refusal: something in it may not be, or is wrong.
    """
    for key in ADDRESSES:
        text = str(getattr(source, key))
        if text or key == "uri":
            _check_address(text, f"source.{key}", devices=devices)
    _check_options(source)


def _check_address(text: str, field: str, *, devices: bool) -> None:
    if not looks_like_url(text):
        _check_device(text, field, devices=devices)
        return
    scheme = text.strip().partition(":")[0].lower()
    if scheme not in SCHEMES:
        kinds = ", ".join(f"{one}://" for one in SCHEMES if one not in lacking_schemes())
        raise Refusal("refused", f"{scheme[:20]}: cannot be added while the service runs: give {kinds}", field)
    if _UNUSUAL.search(text):
        words = "the address holds a space, \\ or a control character: write it as %20, %5C and the like"
        raise Refusal("bad_request", words, field)
    try:
        url = parse_camera_url(text)
    except ConfigError as error:
        raise Refusal("bad_request", str(error), field) from error
    if not _HOST.fullmatch(url.host):
        raise Refusal("bad_request", "the address names no host, or one with unusual letters", field)
    if re.search(r"[?&](listen|mode)=", url.tail):
        raise Refusal("refused", "a camera that calls the service cannot be added while it runs", field)
    if names_secret(url.tail):
        words = (
            "its path seems to hold a user, password or token, which would be kept in the clear: give user:password@ before the"
        )
        raise Refusal("refused", f"{words} host, or name the camera in the configuration file", field)


def _check_device(text: str, field: str, *, devices: bool) -> None:
    if not devices:
        words = "this is not the address of a camera, as rtsp://192.0.2.10/1; devices need serve.devices, files are never added"
        raise Refusal("refused", words, field)
    if not re.fullmatch(r"/dev/(video\d+|v4l/by-(id|path)/[^/]+)", text) or not is_camera(text):
        raise Refusal("refused", "this is not a camera of this machine: give its device, such as /dev/video0", field)


def _check_options(source: SourceConfig) -> None:
    for key, value in source.options.items():
        if key not in OPTIONS:
            raise Refusal(
                "refused",
                f"the option {key[:40]!r} cannot be given while the service runs; allowed: {', '.join(sorted(OPTIONS))}",
                "source.options",
            )
        if not _TEXT.fullmatch(value) or not set(value.split("+")) <= _FLAGS.get(key, set(value.split("+"))):
            raise Refusal("bad_request", f"the option {key} has a value that cannot be used", f"source.options.{key}")
