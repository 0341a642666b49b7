"""What a bridge has handed to a broker, as a subscriber would have handed it out (docs/bridge.md)."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from engine.client.limits import DEFAULT_LIMITS, Limits
from engine.client.received import Gap, Malformed, Received, check_schema, checked, kind_said, message_of
from engine.contracts.messages import Face, Track
from engine.contracts.times import Number
from engine.contracts.unreadable import UNREADABLE


class _Packed(msgspec.Struct):
    header: msgspec.Raw
    payloads: list[bytes | None] = []


class _GapHeader(msgspec.Struct, kw_only=True):
    """Without the reason, of which a later version may have others."""

    run_id: str = ""
    stream: str
    of_kind: str
    first_seq: Number
    last_seq: Number


_decode = msgspec.msgpack.Decoder(_Packed).decode
_decode_gap = msgspec.msgpack.Decoder(_GapHeader).decode


def unpack(body: bytes, limits: Limits = DEFAULT_LIMITS) -> Received | Gap:
    """Read the value of a Kafka record, or the data of a NATS message.

    Parts that did not come along are not in ``message.parts`` either: ``Received.has`` tells.

    Args:
        body: as the broker had it.
        limits: on what is taken.

    Raises:
        Malformed: it is not of a bridge, is larger than the limits, or a payload does not have its SHA-256.
        FatalError: it is of another version of the wire.
    """
    if len(body) > limits.message_bytes:
        raise Malformed(f"it has {len(body):,} bytes, more than the {limits.message_bytes:,} of max_message_bytes")
    try:
        packed = _decode(body)
        header = bytes(packed.header)
        if kind_said(header) == "gap":
            check_schema(header)
            gap = _decode_gap(header)
            if gap.first_seq > gap.last_seq:
                raise Malformed(f"its gap ends before it begins: {gap.first_seq} to {gap.last_seq}")
            return Gap(gap.stream, gap.of_kind, gap.first_seq, gap.last_seq, run_id=gap.run_id)
    except UNREADABLE as error:
        raise Malformed(f"it is not a message of a bridge: {error}") from error
    message, payloads = message_of(header), packed.payloads
    if isinstance(message, Face | Track) and len(message.parts) == len(payloads):
        came = [part for part, payload in zip(message.parts, payloads, strict=True) if payload is not None]
        message = replace(message, parts=came)
    there = [payload for payload in payloads if payload is not None]
    return checked(Received(message, there, False, limits, header))
