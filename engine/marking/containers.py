"""Texts in JPEG and PNG files: a comment, and an XMP packet. Nothing is decoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_PNG_HEADER_BYTES = 8 + 25
"""Signature and IHDR, which must come first."""
_XMP_SEGMENT = b"http://ns.adobe.com/xap/1.0/\0"
_XMP_CHUNK = b"XML:com.adobe.xmp\0\0\0\0\0"
"""Keyword, not compressed, no language, no translation."""
_LONGEST = 65533
"""Of what a JPEG segment holds."""
_APP1, _APP11, _COM, _SOS = 0xE1, 0xEB, 0xFE, 0xDA


@dataclass(frozen=True, slots=True)
class Texts:
    """What a file says beside its pixels."""

    comment: str = ""
    xmp: str = ""


def kind_of(file: bytes) -> str:
    """Return ``jpeg`` or ``png``; empty for anything else."""
    return "jpeg" if file.startswith(_JPEG) else "png" if file.startswith(_PNG) else ""


def with_texts(file: bytes, texts: Texts) -> bytes:
    """Return a JPEG or PNG file with texts put in front of its pixels.

    Args:
        file: as an encoder left it, without such texts.
        texts: each is left out where it is empty, and cut where a segment of JPEG is too short for it.
    """
    if kind_of(file) == "png":
        chunks = _png_chunk(b"tEXt", b"Comment\0" + texts.comment.encode("latin-1", "replace")) if texts.comment else b""
        chunks += _png_chunk(b"iTXt", _XMP_CHUNK + texts.xmp.encode()) if texts.xmp else b""
        return b"".join((file[:_PNG_HEADER_BYTES], chunks, memoryview(file)[_PNG_HEADER_BYTES:]))
    at = 2
    if file[2:4] == b"\xff\xe0":  # JFIF wants its APP0 right after SOI
        at += 2 + struct.unpack(">H", file[4:6])[0]
    segments = _jpeg_segment(_APP1, _XMP_SEGMENT + texts.xmp.encode()) if texts.xmp else b""
    segments += _jpeg_segment(_COM, texts.comment.encode()) if texts.comment else b""
    return file[:at] + segments + file[at:]


def read_texts(file: bytes) -> Texts:
    """Return the comment and the XMP of a JPEG or PNG file; of a damaged one what can be read, of anything else nothing."""
    comment = xmp = b""
    if kind_of(file) == "jpeg":
        for marker, body in _jpeg_segments(file):
            if marker == _APP1 and body.startswith(_XMP_SEGMENT):
                xmp = xmp or body[len(_XMP_SEGMENT) :]
            elif marker == _COM:
                comment = comment or body
        return Texts(comment.decode(errors="replace"), xmp.decode(errors="replace"))
    for name, body in _png_chunks(file):
        if name == b"iTXt" and body.startswith(_XMP_CHUNK):
            xmp = xmp or body[len(_XMP_CHUNK) :]
        elif name == b"tEXt" and body.startswith(b"Comment\0"):
            comment = comment or body[8:]
    return Texts(comment.decode("latin-1"), xmp.decode(errors="replace"))


def has_manifest(file: bytes) -> bool:
    """Whether a JPEG or PNG file holds C2PA metadata, of whatever worth."""
    if kind_of(file) == "jpeg":
        return any(marker == _APP11 and b"jumb" in body[:64] for marker, body in _jpeg_segments(file))
    return any(name == b"caBX" for name, _ in _png_chunks(file))


def _jpeg_segment(marker: int, body: bytes) -> bytes:
    body = body[:_LONGEST]
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def _jpeg_segments(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and body of each segment before the pixels."""
    at = 2
    while at + 4 <= len(file) and file[at] == 0xFF and file[at + 1] != _SOS:
        length = struct.unpack(">H", file[at + 2 : at + 4])[0]
        yield file[at + 1], file[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png_chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and body of each chunk."""
    at = len(_PNG)
    while kind_of(file) == "png" and at + 8 <= len(file):
        length = struct.unpack(">I", file[at : at + 4])[0]
        yield file[at + 4 : at + 8], file[at + 8 : at + 8 + length]
        at += 12 + length
