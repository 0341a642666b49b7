"""Which recordings a browser plays."""

from __future__ import annotations

from pathlib import Path

import av
from av.error import FFmpegError

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
        with av.open(str(path)) as container:
            return any(
                stream.codec_context.codec.canonical_name in codecs and stream.codec_context.pix_fmt in _PIXELS
                for stream in container.streams.video[:1]
            )
    except (FFmpegError, OSError, ValueError):
        return False
