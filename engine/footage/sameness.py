"""Whether a recording is still the one that a run has read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.contracts.recording import Recording
from engine.errors import SourceError

Sameness = Literal["same", "unchanged", "uncompared", "other"]
"""``same``: its SHA-256 is the one that the run wrote; ``unchanged``: its size and its time are; ``uncompared``: its size is,
its time is not, and its SHA-256 was not compared or is not known; ``other``: it is another one, or there is none."""

MOST_BYTES = 1 << 30
"""What is read of recordings only to compare them: a few seconds."""


def sameness(recording: Recording, facts: Mapping[str, Any], most_bytes: int | None) -> Sameness:
    """Compare a recording with what ``run.json`` says of it under ``inputs``.

    Args:
        recording: as it lies there now.
        facts: as of ``Recording.facts``, with the ``sha256`` where the run has read it to its end.
        most_bytes: may be read: a larger one is not compared, and one of the same size and time need not be. None: it is read
            to its end in any case where its SHA-256 is known.

    Raises:
        OSError: it cannot be read.
    """
    now, sha256 = recording.facts(), str(facts.get("sha256", ""))
    size = now.get("size_bytes")
    if size is None or size != facts.get("size_bytes", size):
        return "other"
    in_time = "mtime_ns" in facts and facts["mtime_ns"] == now["mtime_ns"]
    if in_time and (most_bytes is not None or not sha256):
        return "unchanged"
    if not sha256 or (most_bytes is not None and size > most_bytes):
        return "uncompared"
    return "same" if recording.sha256() == sha256 else "other"


def check_same(recording: Recording, facts: Mapping[str, Any], most_bytes: int | None) -> Sameness:
    """Do the same, and refuse another one.

    Raises:
        SourceError: it is another one, or cannot be read (``not_found``).
    """
    try:
        state = sameness(recording, facts, most_bytes)
    except OSError as error:
        raise SourceError(f"cannot read {recording.path}: {error.strerror}", "not_found") from error
    if state == "other":
        raise SourceError(
            f"{recording.path} is not the recording that was read: its SHA-256 is another one; say where that is now with "
            "--recording",
            "not_found",
        )
    return state
