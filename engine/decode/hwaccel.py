"""Hardware decoding, if this machine and its FFmpeg support it."""

from __future__ import annotations

from functools import cache

import av
from av.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available

KINDS = ("cuda", "vaapi")
"""In the order in which ``auto`` tries them."""
_DRIVERS = {"cuda": "NVIDIA's", "vaapi": "VA-API"}


@cache
def probe_hwaccel(kind: str, codec_name: str = "h264") -> tuple[bool, str]:
    """Return whether ``kind`` (``cuda`` or ``vaapi``) can decode a codec here, and in a few words why not.

    It opens the device, because a driver may be missing. The result is cached in the process.
    """
    if kind not in hwdevices_available():
        return False, f"this FFmpeg was built without {kind}"
    try:
        HWAccel(kind).create(Codec(codec_name, "r"))
    except NotImplementedError:
        return False, f"{kind} does not decode {codec_name}"
    except (av.error.FFmpegError, ValueError, OSError):
        return False, f"no device answers to {_DRIVERS.get(kind, kind)} driver"
    return True, ""


def choose_hwaccel(wanted: str, codec_name: str) -> tuple[HWAccel | None, str]:
    """Return the accelerator for a codec, None for software, and a remark about the choice.

    Args:
        wanted: ``auto``, ``none``, ``cuda`` or ``vaapi``.
        codec_name: name of FFmpeg's decoder.
    """
    if wanted == "none":
        return None, ""
    reasons = []
    for kind in KINDS if wanted == "auto" else (wanted,):
        usable, reason = probe_hwaccel(kind, codec_name)
        if usable:
            return HWAccel(kind, allow_software_fallback=True), f"decoded by {kind}"
        reasons.append(reason)
    return None, f"decoded in software: {'; '.join(reasons)}"
