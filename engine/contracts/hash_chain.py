"""A file of JSON lines, each of which holds the SHA-256 of the line before it: ``chain.jsonl`` of a run, and the audit log."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from engine.contracts.unreadable import UNREADABLE

FIRST = "0" * 64
"""In the first line, which has none before it."""

_Line = TypeVar("_Line", bound=msgspec.Struct)


def encode(line: msgspec.Struct) -> bytes:
    """Return the line with its line break; equal values give equal bytes."""
    return msgspec.json.encode(line) + b"\n"


def decode(line: bytes, kind: type[_Line]) -> _Line | None:
    """Return what a line holds; None unless it is exactly what ``encode`` writes."""
    try:
        found = msgspec.json.decode(line, type=kind)
        return found if encode(found) == line else None
    except UNREADABLE:
        return None


def hash_of(line: bytes) -> str:
    """Return the SHA-256 of a line with its line break, as the next line holds it."""
    return hashlib.sha256(line).hexdigest()
