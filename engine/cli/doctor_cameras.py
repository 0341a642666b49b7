"""What ``facestream doctor`` says about cameras: protocols, devices, and hardware that decodes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Says = Iterator[tuple[Literal["ok", "optional", "broken"], str]]
_DEVICES = "video*"


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
