"""What ``facestream doctor`` says about cameras: protocols, devices, and hardware that decodes."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Literal

Says = Iterator[tuple[Literal["ok", "optional", "broken"], str]]
_DEVICES = "video*"
_MAIN_PX = (1920, 1080)
_PICTURES = 12


def cameras() -> Says:
    """Say which addresses this FFmpeg can open."""
    import av.logging

    from engine.source.camera_url import SCHEMES, lacking_schemes

    av.logging.set_level(None)
    lacking = lacking_schemes()
    found = [f"{name}://" for name in SCHEMES if name not in lacking]
    yield ("ok", f"this FFmpeg reads cameras by {', '.join(found)}") if found else ("optional", "this FFmpeg reads no network")
    if lacking:
        yield "optional", f"this FFmpeg was built without {', '.join(f'{name}://' for name in lacking)}"


def devices(folder: Path = Path("/dev")) -> Says:
    """Say which V4L2 devices are there, and which of them give pictures to this user."""
    from engine.decode.v4l2 import check_device

    paths = sorted(folder.glob(_DEVICES), key=lambda path: (len(path.name), path.name))
    if not paths:
        yield "optional", f"there is no camera device ({folder}/{_DEVICES})"
    for path in paths:
        number = check_device(str(path))
        if number == 0:
            yield "ok", f"{path} gives pictures"
        elif number in (errno.EACCES, errno.EPERM):
            yield "optional", f"{path} may not be opened: add the user to the group video"
        elif number == errno.ENOTTY:
            yield "optional", f"{path} gives no pictures: it is metadata, an output, or no camera"
        else:
            yield "optional", f"{path} cannot be opened: {os.strerror(number)}"


def hardware_decoding() -> Says:
    """Say which hardware decodes video here; a device is really opened."""
    from engine.decode.hwaccel import KINDS, probe_hwaccel

    usable = []
    for kind in KINDS:
        works, reason = probe_hwaccel(kind)
        if works:
            usable.append(kind)
            yield "ok", f"{kind} decodes H.264"
        else:
            yield "optional", f"{kind} cannot be used: {reason}"
    if not usable:
        yield "ok", "cameras are decoded in software"


def two_streams() -> Says:
    """Say whether the main stream of a camera could be decoded beside the small one that faces are looked for in."""
    rate = decoding_rate()
    if rate is None:
        yield "optional", "how fast main streams (crop_uri) are decoded cannot be tried: this FFmpeg writes no H.264"
        return
    width, height = _MAIN_PX
    yield (
        "ok" if rate > 30 else "optional",
        f"of the main stream of a camera (crop_uri) one core decodes up to {rate:.0f} pictures of {width}x{height} a second, "
        "and need do it only while there are faces; `facestream probe SUB --crop-uri MAIN` says what that gains",
    )


def decoding_rate() -> float | None:
    """Return how many pictures of a main stream one core decodes in a second, of a pattern that moves; None: unknown."""
    import av
    import numpy as np

    if "libx264" not in av.codecs_available:
        return None
    width, height = _MAIN_PX
    pattern = np.random.default_rng(0).integers(60, 200, (height * 3 // 8, width // 4), np.uint8).repeat(4, 0).repeat(4, 1)
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    packets = []
    for number in range(_PICTURES):
        picture = np.roll(pattern, 5 * number, axis=1)
        packets += encoder.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p"))
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1
    began, decoded = time.thread_time(), 0
    for packet in [*packets, None]:
        decoded += len(decoder.decode(packet))
    return decoded / max(time.thread_time() - began, 1e-6)
