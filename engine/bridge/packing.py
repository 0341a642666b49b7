"""One message for the broker: a MessagePack map that holds a message of the wire whole, or says what is missing.

``header`` is the map of the wire as it came; ``payloads`` has one entry for each of its ``parts``: the bytes, or nil where
``left_out`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from engine.bridge.names import Key
from engine.client.received import Received
from engine.contracts.messages import SCHEMA, Part

Left = Literal["no_pictures", "picture_limit", "no_vectors", "max_payload"]
Missing = Literal["missed", "buffer_full", "damaged", "too_large"]
"""Why a message is not there: it never reached the bridge, gave way in the buffer, could not be read back from it, or is larger
than the broker takes even without its parts."""


class LeftOut(msgspec.Struct, frozen=True):
    """A part that did not come along."""

    name: str
    size_bytes: int
    reason: Left


class Packed(msgspec.Struct, frozen=True):
    """What a consumer reads."""

    header: msgspec.Raw
    payloads: list[bytes | None] = []
    left_out: list[LeftOut] = []


class GapHeader(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="gap"):
    """Numbers of one series that this bridge does not bring; another one may."""

    run_id: str
    stream: str
    of_kind: str
    first_seq: int
    last_seq: int
    reason: Missing
    schema: str = SCHEMA


@dataclass(frozen=True)
class Wishes:
    """What may leave the site."""

    pictures: bool = True
    picture_bytes: int | None = None
    """Of the largest picture that goes along; None: any."""
    vectors: bool = True

    def against(self, part: Part, size_bytes: int) -> Left | None:
        """Return why a part stays, None if it goes along. What holds fractions is a vector, all else a picture."""
        if part.dtype.startswith("float"):
            return None if self.vectors else "no_vectors"
        if not self.pictures:
            return "no_pictures"
        return "picture_limit" if self.picture_bytes is not None and size_bytes > self.picture_bytes else None


ALL = Wishes()
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Packed).decode


def packed(received: Received, wishes: Wishes) -> tuple[bytes, int]:
    """Return a message for the broker, and how many parts were left out of it."""
    payloads: list[bytes | None] = []
    left_out = []
    for part, payload in zip(received.parts, received.payloads, strict=True):
        reason = wishes.against(part, len(payload))
        payloads.append(None if reason else payload)
        if reason:
            left_out.append(LeftOut(part.name, len(payload), reason))
    return _encode(Packed(msgspec.Raw(received.header), payloads, left_out)), len(left_out)


def packed_gap(key: Key, reason: Missing) -> bytes:
    """Return what says that messages are missing."""
    header = GapHeader(run_id=key.run_id, stream=key.stream, of_kind=key.kind, first_seq=key.first_seq,
                       last_seq=key.last_seq, reason=reason)  # fmt: skip
    return _encode(Packed(msgspec.Raw(_encode(header))))


class _Parts(msgspec.Struct):
    parts: list[_Named] = []


class _Named(msgspec.Struct):
    name: str


_decode_names = msgspec.msgpack.Decoder(_Parts).decode


def fitted(body: bytes, limit_bytes: int) -> tuple[bytes | None, int]:
    """Return a message with its largest parts left out until it fits, and how many these are; None: it cannot fit."""
    if len(body) <= limit_bytes:
        return body, 0
    message = _decode(body)
    names = [part.name for part in _decode_names(message.header).parts]
    payloads, left_out, dropped = list(message.payloads), list(message.left_out), 0
    for index in sorted(range(len(payloads)), key=lambda index: -len(payloads[index] or b"")):
        if (payload := payloads[index]) is None:
            break
        payloads[index] = None
        left_out.append(LeftOut(names[index], len(payload), "max_payload"))
        dropped += 1
        if len(body := _encode(Packed(message.header, payloads, left_out))) <= limit_bytes:
            return body, dropped
    return None, dropped
