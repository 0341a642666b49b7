"""A message as it is sent: topic, header, payloads."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from engine.config import PublishConfig
from engine.contracts.envelope import Payload
from engine.contracts.messages import AnyMessage, Face, Track, encode_header, topic_of


def kept_back(config: PublishConfig) -> frozenset[str]:
    """Return what is written and not sent: the vector without ``embeddings``, the scene unless ``parts`` names it."""
    wanted = {"embedding": config.embeddings, "scene": "scene" in config.parts}
    return frozenset(name for name, is_sent in wanted.items() if not is_sent)


def frames_of(message: AnyMessage, payloads: Sequence[Payload], *, without: Collection[str]) -> list[Payload]:
    """Return the frames of a message, without the parts of these names."""
    if isinstance(message, Face | Track) and any(part.name in without for part in message.parts):
        kept = [(part, payload) for part, payload in zip(message.parts, payloads, strict=True) if part.name not in without]
        message, payloads = replace(message, parts=[part for part, _ in kept]), [payload for _, payload in kept]
    return [topic_of(message).encode(), encode_header(message), *payloads]
