"""Pictures and vectors as payloads of a message."""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.config import PublishConfig
from engine.contracts.messages import Part
from engine.errors import PublishError
from engine.publish.veil import what_leaves

PictureName = Literal["enhanced", "original"]
_PNG_HEADER_BYTES = 8 + 25
"""Signature and IHDR, which must come first."""


def parts_of(
    config: PublishConfig,
    original_bgr: NDArray[np.uint8] | None,
    enhanced_bgr: NDArray[np.uint8] | None,
    embedding: NDArray[np.float32] | None,
    enhanced_by: str = "",
    *,
    is_known: bool = False,
) -> tuple[list[Part], list[bytes]]:
    """Return the parts that ``config.parts`` asks for, in its order, and their payloads.

    Args:
        config: codec, quality and choice of parts.
        original_bgr: (height, width, 3) uint8, or None.
        enhanced_bgr: likewise; None of a face that was not enhanced, which has no such part: where ``enhanced`` alone is asked
            for, ``original`` takes its place.
        embedding: (length,), sent as little-endian float32.
        enhanced_by: name of the generator: the file of ``enhanced_bgr`` says inside that it is enhanced, by which model, and
            what it is not for.
        is_known: the face was recognised: ``config.redact`` may hide the others. What is sent and what is written are these
            payloads, and the report is made of what is written: no picture of a face goes another way.

    Raises:
        PublishError: a picture cannot be encoded.
    """
    original_bgr, enhanced_bgr = what_leaves(config.redact, is_known, original_bgr, enhanced_bgr)
    parts: list[Part] = []
    payloads: list[bytes] = []
    wanted = config.parts
    if enhanced_bgr is None and "original" not in wanted:
        wanted = tuple("original" if name == "enhanced" else name for name in wanted)
    for name in wanted:
        if name == "embedding":
            if embedding is not None:
                payloads.append(np.ascontiguousarray(embedding, "<f4").tobytes())
                parts.append(_part(name, "raw", (int(embedding.size),), "float32", payloads[-1]))
            continue
        picture = enhanced_bgr if name == "enhanced" else original_bgr
        if picture is not None:
            payloads.append(encode_picture(config, picture, mark(enhanced_by) if name == "enhanced" and enhanced_by else ""))
            parts.append(_part(name, config.codec, picture.shape, "uint8", payloads[-1]))
    return parts, payloads


def mark(model: str) -> str:
    """Return the sentence that stands inside every enhanced picture."""
    return f"AI-enhanced by facestream {model}; not for identification"


def encode_picture(config: PublishConfig, picture_bgr: NDArray[np.uint8], comment: str = "") -> bytes:
    """Return a picture as a JPEG or PNG file, with a comment segment if ``comment`` is given.

    Raises:
        PublishError: the encoder refuses the picture.
    """
    jpeg = config.codec == "jpeg"
    options = [cv2.IMWRITE_JPEG_QUALITY, config.jpeg_quality] if jpeg else [cv2.IMWRITE_PNG_COMPRESSION, 1]
    try:
        done, encoded = cv2.imencode(".jpg" if jpeg else ".png", picture_bgr, options)
    except cv2.error as error:
        raise PublishError(f"cannot encode a picture of shape {picture_bgr.shape} as {config.codec}: {error.err}") from error
    if not done:
        raise PublishError(f"cannot encode a picture of shape {picture_bgr.shape} as {config.codec}")
    file = encoded.tobytes()
    if not comment:
        return file
    return _with_jpeg_comment(file, comment) if jpeg else _with_png_comment(file, comment)


def _part(name: Literal["enhanced", "original", "embedding"], codec: Literal["jpeg", "png", "raw"],
          shape: tuple[int, ...], dtype: str, payload: bytes) -> Part:  # fmt: skip
    return Part(name, codec, tuple(int(length) for length in shape), dtype, hashlib.sha256(payload).hexdigest())


def _with_jpeg_comment(file: bytes, comment: str) -> bytes:
    text = comment.encode("utf-8")[:65000]
    at = 2
    if file[2:4] == b"\xff\xe0":  # JFIF wants its APP0 right after SOI
        at += 2 + struct.unpack(">H", file[4:6])[0]
    return file[:at] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + file[at:]


def _with_png_comment(file: bytes, comment: str) -> bytes:
    body = b"tEXt" + b"Comment\0" + comment.encode("latin-1", "replace")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return file[:_PNG_HEADER_BYTES] + chunk + file[_PNG_HEADER_BYTES:]
