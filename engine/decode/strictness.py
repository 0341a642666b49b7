"""Which decoders refuse damaged packets where they are asked to, and which tell nothing of damage at all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext

_REFUSE = {"err_detect": "crccheck+explode"}
_BY_DECODER = {"libdav1d": {"strict": "strict"}}
_HASH = re.compile(rb"\x50[\x01-\x07]\x84[\x11\x31]\x00")
"""The MD5 of a picture of H.265, grey or of three planes (ITU-T H.265, D.2.19), which an encoder may write behind it."""
_SILENT = {"hevc": "H.265", "vp8": "VP8", "vp9": "VP9"}


def ask_to_refuse(context: VideoCodecContext, first: av.Packet[Any] | None = None) -> bool:
    """Let a decoder that is not open yet refuse what it finds damaged; return whether it can.

    Those of pictures that stand alone can, and that of H.265 where the encoder wrote hashes, as the stream's ``first`` packet
    shows. Others tell by themselves (H.264, MPEG), or cannot tell (see ``silence_of``).
    """
    compares = context.codec.intra_only or (first is not None and has_hash(context, first))
    options = _REFUSE if compares else _BY_DECODER.get(context.name, {})
    if options and not context.is_open:
        context.options = {**context.options, **options}
    return bool(options)


def has_hash(context: VideoCodecContext, packet: av.Packet[Any]) -> bool:
    """Whether a packet holds a hash of its picture that FFmpeg compares."""
    return context.name == "hevc" and _HASH.search(bytes(packet)) is not None


def silence_of(path: Path, codec_name: str) -> str:
    """Return a sentence on a damaged recording whose decoder tells nothing of errors inside packets, empty for others."""
    if codec_name not in _SILENT:
        return ""
    return f"{path}: {_SILENT[codec_name]} does not report errors inside its pictures, so more may be damaged than are marked"
