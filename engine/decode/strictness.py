"""What decoders are set to refuse: damaged packets, where they can, and immense pictures; and which report no damage at all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import av
from av.video.codeccontext import VideoCodecContext

from engine.pictures.size import MOST_PX

_REFUSE = {"err_detect": "crccheck+explode"}
_BY_DECODER = {"libdav1d": {"strict": "strict"}}
_HASH = re.compile(rb"\x50[\x01-\x07]\x84[\x11\x31]\x00")
"""MD5 of an H.265 picture with one or three planes (ITU-T H.265, D.2.19), which an encoder may append."""
_SILENT = {"hevc": "H.265", "vp8": "VP8", "vp9": "VP9"}


def refuse_immense(context: VideoCodecContext) -> None:
    """Set a decoder that is not open yet to refuse pictures of more than ``MOST_PX``, whatever the container says of them."""
    context.options = {**context.options, "max_pixels": str(MOST_PX)}


def ask_to_refuse(context: VideoCodecContext, first: av.Packet[Any] | None = None) -> bool:
    """Set a decoder that is not open yet to refuse damaged packets; return whether it can.

    Decoders of intra-only codecs can, and that of H.265 if the encoder wrote hashes, as the stream's ``first`` packet shows.
    Others report damage by default (H.264, MPEG), or cannot (see ``silence_of``).
    """
    compares = context.codec.intra_only or (first is not None and has_hash(context, first))
    options = _REFUSE if compares else _BY_DECODER.get(context.name, {})
    if options and not context.is_open:
        context.options = {**context.options, **options}
    return bool(options)


def has_hash(context: VideoCodecContext, packet: av.Packet[Any]) -> bool:
    """Whether a packet holds a hash of its picture that FFmpeg checks."""
    return context.name == "hevc" and _HASH.search(bytes(packet)) is not None


def silence_of(path: Path, codec_name: str) -> str:
    """Return a sentence on a damaged recording whose decoder does not report errors inside packets; empty for others."""
    if codec_name not in _SILENT:
        return ""
    return f"{path}: {_SILENT[codec_name]} does not report errors inside its pictures, so more may be damaged than are marked"
