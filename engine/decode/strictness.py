"""Which decoders refuse damaged packets where they are asked to, and which tell nothing of damage at all."""

from __future__ import annotations

from pathlib import Path

from av.video.codeccontext import VideoCodecContext

_REFUSE = {"err_detect": "crccheck+explode"}
_BY_DECODER = {"libdav1d": {"strict": "strict"}}
_SILENT = {"hevc": "H.265", "vp8": "VP8", "vp9": "VP9"}


def ask_to_refuse(context: VideoCodecContext) -> bool:
    """Let a decoder that is not open yet refuse what it finds damaged; return whether it can.

    Those of pictures that stand alone can. Others tell by themselves (H.264, MPEG), or cannot tell (see ``silence_of``).
    """
    options = _REFUSE if context.codec.intra_only else _BY_DECODER.get(context.name, {})
    if options and not context.is_open:
        context.options = {**context.options, **options}
    return bool(options)


def silence_of(path: Path, codec_name: str) -> str:
    """Return a sentence on a damaged recording whose decoder tells nothing of errors inside packets, empty for others."""
    if codec_name not in _SILENT:
        return ""
    return f"{path}: {_SILENT[codec_name]} does not tell of errors inside its pictures, so more may be damaged than are marked"
