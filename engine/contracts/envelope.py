"""A message on the wire is a body and an envelope; it is made here, whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.contracts.faces import FaceResult, Sighting, TrackClosed, TrackResult
from engine.contracts.frames import FrameTime, Span
from engine.contracts.messages import AnyMessage, End, Face, Stats, Stream, Track
from engine.contracts.streams import RunEnd, RunStats, StreamChanged

Payload = bytes | memoryview
Body = FaceResult | TrackResult | StreamChanged | RunStats | RunEnd
_WIRE: dict[type[Body], type[AnyMessage]] = {
    FaceResult: Face,
    TrackResult: Track,
    StreamChanged: Stream,
    RunStats: Stats,
    RunEnd: End,
}


class Envelope(msgspec.Struct, frozen=True):
    """What the publisher alone knows of a message."""

    run_id: str
    seq: int
    sent_ns: int


def sealed(body: Body, envelope: Envelope, **known: object) -> AnyMessage:
    """Return the message of a body.

    Args:
        body: what it says.
        envelope: its number and time.
        known: further fields that only the publisher can fill: ``best_face_seq`` of a track, ``last_seq`` of the end.
    """
    wire = _WIRE[type(body)]
    found = dict(_flat(body)) | known | dict(_own(envelope))
    return wire(**{name: found[name] for name in wire.__struct_fields__ if name in found})


def kind_of_body(body: Body) -> str:
    """Return the kind of the message that a body becomes."""
    return str(_WIRE[type(body)].__struct_config__.tag)


def _own(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for name in value.__struct_fields__:
        yield name, getattr(value, name)


def _flat(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a value as the wire has them: those of its parts stand beside its own."""
    for name, part in _own(value):
        match part:
            case Span():
                yield from _flat_span(part)
            case FrameTime() | Sighting() | TrackClosed():
                yield from _flat(part)
            case _:
                yield name, part


def _flat_span(span: Span) -> Iterator[tuple[str, Any]]:
    """The ticks of both ends are those of the first."""
    ends: Mapping[str, FrameTime] = {"first": span.first, "last": span.last}
    for which, time in ends.items():
        for name, part in _own(time):
            yield f"{which}_{name}", part
    yield "time_base", span.first.time_base
