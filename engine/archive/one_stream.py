"""Which stream a track number belongs to: each stream numbers its own tracks."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import UsageError


def one_stream(number: int, streams: Iterable[str]) -> str | None:
    """Return the stream that has a track of this number; None where none has.

    Args:
        number: of the track.
        streams: those that have such a track.

    Raises:
        UsageError: several have.
    """
    found = sorted(set(streams))
    if len(found) > 1:
        raise UsageError(f"track {number} is one of {', '.join(found)}: say which with --stream")
    return found[0] if found else None
