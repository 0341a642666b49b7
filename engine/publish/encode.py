"""Pictures and vectors as payloads of a message."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from engine.config import PublishConfig
from engine.contracts.messages import Part, PartName
from engine.marking.containers import Texts, with_texts
from engine.marking.imperceptible import put_mark
from engine.marking.metadata import declare, sentence
from engine.pictures.encode import encode_picture
from engine.pictures.veil import shows_enhanced, what_leaves

_SCENE = PublishConfig(codec="jpeg", jpeg_quality=80)
"""A scene says where somebody was; whose face it is the crop says."""


def parts_of(
    config: PublishConfig,
    original_bgr: NDArray[np.uint8] | None,
    enhanced_bgr: NDArray[np.uint8] | None,
    embedding: NDArray[np.float32] | None,
    enhanced_by: str = "",
    *,
    is_known: bool = False,
    scene_bgr: NDArray[np.uint8] | None = None,
) -> tuple[list[Part], list[bytes]]:
    """Return the parts that ``config.parts`` asks for, in its order, and their payloads; then the scene.

    Args:
        config: codec, quality, marks and choice of parts.
        original_bgr: (height, width, 3) uint8, or None.
        enhanced_bgr: likewise; None of a face that was not enhanced, which has no such part: where ``enhanced`` alone is asked
            for, ``original`` takes its place. Its vectors were made before: the marks that it gets here are in none.
        embedding: (length,), sent as little-endian float32.
        enhanced_by: name of the generator, as of ``encode_enhanced``.
        is_known: the face was recognised: ``config.redact`` may hide the others. What is sent and what is written are these
            payloads, and the report is made of what is written: no picture of a face goes another way.
        scene_bgr: likewise; None of a face without one. It goes along as a JPEG, unless ``config.redact`` hides faces: other
            people are on it.

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
        if name == "scene":
            continue
        if name == "embedding":
            found = _vector(embedding)
        else:
            found = (
                _picture(config, name, enhanced_bgr, enhanced_by)
                if name == "enhanced"
                else _picture(config, name, original_bgr)
            )
        for part, payload in found:
            parts.append(part)
            payloads.append(payload)
    for part, payload in _picture(_SCENE, "scene", scene_bgr if config.redact == "none" else None, ""):
        parts.append(part)
        payloads.append(payload)
    return parts, payloads


def shows_tracks(config: PublishConfig, *, is_known: bool) -> bool:
    """Whether pictures that were made of many frames of a track are sent: where enhanced ones are.

    Args:
        config: ``parts`` and ``redact``.
        is_known: the decision on the track was ``known``.
    """
    return "enhanced" in config.parts and shows_enhanced(config.redact, is_known)


def track_parts_of(
    config: PublishConfig,
    embedding: NDArray[np.float32] | None,
    picture_bgr: NDArray[np.uint8] | None = None,
    agreement: NDArray[np.uint8] | None = None,
    made_by: str = "",
    *,
    is_known: bool = False,
) -> tuple[list[Part], list[bytes]]:
    """Return the parts of a ``track`` message and their payloads: as ``parts_of``, with the same rules for what leaves.

    Args:
        config: codec, quality and choice of parts.
        embedding: of the track.
        picture_bgr: (height, width, 3) uint8, made of many frames; None: there is none.
        agreement: (height, width) uint8, how far they agree.
        made_by: the model, which the files of both name with what they are not for.
        is_known: the track was recognised.

    Raises:
        PublishError: a picture cannot be encoded.
    """
    found = _vector(embedding) if "embedding" in config.parts else []
    if shows_tracks(config, is_known=is_known):
        found += _picture(config, "track", picture_bgr, made_by)
        found += _map(config, agreement, made_by)
    return [part for part, _ in found], [payload for _, payload in found]


def encode_enhanced(config: PublishConfig, picture_bgr: NDArray[np.uint8], model: str, *, in_place: bool = False) -> bytes:
    """Return an enhanced picture as a JPEG or PNG file that tells people and machines what it is.

    Args:
        config: codec and quality; ``mark``: whether its pixels are marked, too.
        picture_bgr: (height, width, 3) uint8.
        model: what enhanced it.
        in_place: the picture itself may be marked: nobody needs it any more.

    Raises:
        PublishError: the encoder refuses the picture.
    """
    return declare(_encoded(config, put_mark(picture_bgr, in_place=in_place) if config.mark else picture_bgr), model)


def _encoded(config: PublishConfig, picture_bgr: NDArray[np.uint8]) -> bytes:
    return encode_picture(picture_bgr, config.codec, config.jpeg_quality)


def _vector(embedding: NDArray[np.float32] | None) -> list[tuple[Part, bytes]]:
    if embedding is None:
        return []
    payload = np.ascontiguousarray(embedding, "<f4").tobytes()
    return [(Part("embedding", "raw", (int(embedding.size),), "float32", _sha256(payload)), payload)]


def _picture(
    config: PublishConfig, name: PartName, picture: NDArray[np.uint8] | None, made_by: str = ""
) -> list[tuple[Part, bytes]]:
    if picture is None:
        return []
    payload = encode_enhanced(config, picture, made_by) if made_by else _encoded(config, picture)
    return [(_part(config, name, picture, payload), payload)]


def _map(config: PublishConfig, agreement: NDArray[np.uint8] | None, made_by: str) -> list[tuple[Part, bytes]]:
    """Return a map as a picture whose values stay as they are: no mark is put into it."""
    if agreement is None:
        return []
    picture = agreement[..., None]
    payload = with_texts(_encoded(config, picture), Texts(sentence(f"facestream {made_by}")))
    return [(_part(config, "agreement", picture, payload), payload)]


def _part(config: PublishConfig, name: PartName, picture: NDArray[np.uint8], payload: bytes) -> Part:
    return Part(name, config.codec, tuple(map(int, picture.shape)), "uint8", _sha256(payload))


def _sha256(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
