"""A message as another process has it."""

from __future__ import annotations

from typing import TypeVar

from engine.workers.links import LINKS

Message = TypeVar("Message")


def carried(message: Message) -> Message:
    """Return what arrives when ``message`` is sent."""
    fields, arrays, _ = LINKS.encode(message)
    return LINKS.decode(fields, b"".join(array.tobytes() for array in arrays))
