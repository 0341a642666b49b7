"""What a subscriber hands out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.client.limits import DEFAULT_LIMITS, Limits
from engine.contracts.messages import SCHEMA, AnyMessage, End, Face, Part, Stats, Track, check_stream_name, decode_header
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, FatalError
from engine.pictures.size import picture_size


@dataclass(frozen=True, slots=True)
class Received:
    """One message with its payloads."""

    message: AnyMessage
    payloads: list[bytes]
    """One for each of ``message.parts``, in that order; their SHA-256 has been checked."""
    replayed: bool = False
    """It was missed at first, and came back from the replay service."""
    limits: Limits = DEFAULT_LIMITS
    """What ``image`` decodes at most."""
    header: bytes = b""
    """As it came: with fields of a later version, which ``message`` does not have."""

    @property
    def parts(self) -> list[Part]:
        """What the payloads are; empty for kinds that carry none."""
        return self.message.parts if isinstance(self.message, Face | Track) else []

    def payload(self, name: str) -> bytes:
        """Return the bytes of one part as they were sent.

        Raises:
            LookupError: this message does not carry that part.
        """
        for part, payload in zip(self.parts, self.payloads, strict=True):
            if part.name == name:
                return payload
        carried = ", ".join(part.name for part in self.parts) or "no parts"
        raise LookupError(f"this message carries {carried}, not {name!r}")

    def has(self, name: str) -> bool:
        """Tell whether this message carries a part of this name."""
        return any(part.name == name for part in self.parts)

    def image(self, name: str | None = None) -> NDArray[np.uint8]:
        """Return a picture as (height, width, 3) uint8 BGR.

        Args:
            name: of its part. None: ``track`` of a track; of a face ``enhanced``, or ``original`` where it was large enough and
                passed through.

        Raises:
            LookupError: this message does not carry that picture.
            ValueError: it does not decode, or has more pixels than the subscriber's ``max_picture_px``.
        """
        if name is None and isinstance(self.message, Track):
            name = "track"
        name = name or ("original" if self.has("original") and not self.has("enhanced") else "enhanced")
        from engine.pictures.decode import decoded  # here, so that a subscriber that only wants scores does not load OpenCV

        file = self.payload(name)
        try:
            width, height = picture_size(file)
        except ValueError as error:
            raise ValueError(f"the part {name!r} of this message is not a picture: {error}") from error
        if width * height > self.limits.picture_px:
            raise ValueError(
                f"the part {name!r} of this message is a picture of {width}x{height}, more than the "
                f"{self.limits.picture_px:,} pixels that this subscriber decodes (max_picture_px)"
            )
        picture = decoded(file, most_px=self.limits.picture_px)
        if picture is None:
            raise ValueError(f"the part {name!r} of this message is not a picture")
        return picture

    def embedding(self) -> NDArray[np.float32]:
        """Return the embedding as (length,) float32.

        Raises:
            LookupError: this message does not carry one.
            ValueError: a later version has sent it in another form.
        """
        payload = self.payload("embedding")
        part = next(part for part in self.parts if part.name == "embedding")
        if not part.is_vector(len(payload)):
            said = f"{part.codec} {part.dtype} of {len(payload)} bytes for the shape {list(part.shape)}"
            raise ValueError(f"the part 'embedding' of this message is {said}, not raw float32")
        return np.frombuffer(payload, "<f4").astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of one stream and kind that were sent and are not handed out."""

    stream: str
    kind: str
    first_seq: int
    last_seq: int
    stale: int = 0
    """Of these, how many did come, but older than the subscriber's ``max_age_seconds``."""
    run_id: str = ""
    """Of the run that sent them."""

    def __len__(self) -> int:
        return self.last_seq - self.first_seq + 1


class Malformed(ValueError):
    """A multipart that is not a message of the wire; the text says why."""


class _Common(msgspec.Struct):
    schema: str = ""
    kind: str = ""


_decode_common = msgspec.msgpack.Decoder(_Common).decode


def parse(frames: list[bytes], replayed: bool = False, limits: Limits = DEFAULT_LIMITS) -> Received:
    """Read ``[topic][header][part...]``.

    Raises:
        Malformed: it is no message, is larger than the limits, or a payload does not have its SHA-256.
        FatalError: it is of another version of the wire.
    """
    if len(frames) < 2:
        raise Malformed(f"{len(frames)} frames, and a message has at least a topic and a header")
    if (size := sum(map(len, frames))) > limits.message_bytes:
        raise Malformed(f"it has {size:,} bytes, more than the {limits.message_bytes:,} of max_message_bytes")
    return checked(Received(message_of(frames[1]), frames[2:], replayed, limits, frames[1]))


def message_of(header: bytes) -> AnyMessage:
    """Read a header.

    Raises:
        Malformed, FatalError: as ``parse``.
    """
    try:
        message = decode_header(header)
    except UNREADABLE as error:
        check_schema(header)
        raise Malformed(f"the header is not readable: {error}") from error
    if message.schema != SCHEMA:
        raise _other_schema(message.schema)
    try:
        if not isinstance(message, Stats | End):
            check_stream_name(message.stream)
    except ConfigError as error:
        raise Malformed(str(error)) from error
    return message


def kind_said(header: bytes) -> str:
    """Return the kind that a header names, known or not; raises one of ``UNREADABLE``."""
    return _decode_common(header).kind


def checked(received: Received) -> Received:
    """Return what came, if its payloads are those that its header describes.

    Raises:
        Malformed: they are not.
    """
    if len(received.parts) != len(received.payloads):
        raise Malformed(f"{len(received.payloads)} payloads, and the header describes {len(received.parts)}")
    for part, payload in zip(received.parts, received.payloads, strict=True):
        if hashlib.sha256(payload).hexdigest() != part.sha256:
            raise Malformed(f"the part {part.name!r} does not have the SHA-256 that its header gives")
    return received


def check_schema(header: bytes) -> None:
    """Look at what a header says of its version, as far as that can be read.

    Raises:
        FatalError: it is of another version of the wire.
    """
    try:
        schema = _decode_common(header).schema
    except UNREADABLE:
        return
    if schema.startswith("facestream/") and schema != SCHEMA:
        raise _other_schema(schema)


def _other_schema(schema: str) -> FatalError:
    return FatalError(
        f"the publisher speaks {schema!r} and this client {SCHEMA!r}: use the same version of facestream on both sides"
    )
