"""Which recordings a browser plays."""

from __future__ import annotations

from pathlib import Path

from engine.decode.container import open_recording
from engine.errors import SourceError

_CODECS = {
    ".mp4": frozenset({"h264", "av1", "vp9"}),
    ".m4v": frozenset({"h264", "av1"}),
    ".mov": frozenset({"h264"}),
    ".webm": frozenset({"vp8", "vp9", "av1"}),
}
"""By container, what Chromium and Firefox decode without help of the system."""
_PIXELS = frozenset({"yuv420p", "yuvj420p"})


def is_playable(path: Path) -> bool:
    """Whether a browser plays a recording: by its container, codec and pixel format; False for one that cannot be read."""
    codecs = _CODECS.get(path.suffix.lower())
    if codecs is None or not path.is_file():
        return False
    try:
        container, stream = open_recording(path)
    except SourceError:
        return False
    with container:
        context = stream.codec_context
        return context.codec.canonical_name in codecs and context.pix_fmt in _PIXELS
