"""A message as it is sent: topic, header, payloads."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from engine.contracts.envelope import Payload
from engine.contracts.messages import AnyMessage, Face, Track, encode_header, topic_of


def frames_of(message: AnyMessage, payloads: Sequence[Payload], *, embeddings: bool) -> list[Payload]:
    """Return the frames of a message; without ``embeddings`` the vector is not among its parts."""
    if not embeddings and isinstance(message, Face | Track) and any(part.name == "embedding" for part in message.parts):
        kept = [(part, payload) for part, payload in zip(message.parts, payloads, strict=True) if part.name != "embedding"]
        message, payloads = replace(message, parts=[part for part, _ in kept]), [payload for _, payload in kept]
    return [topic_of(message).encode(), encode_header(message), *payloads]
