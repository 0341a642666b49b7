"""Whether a recording is still the file that a run has read."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from engine.contracts.recording import Recording
from engine.errors import SourceError

Sameness = Literal["same", "unchanged", "uncompared", "other", "gone"]
"""``same``: its SHA-256 is the one that the run wrote; ``unchanged``: its size and its time are; ``uncompared``: its size is,
its time is not, and its SHA-256 was not compared or is not known; ``other``: it is another one; ``gone``: there is none, or
none that can be read."""

MOST_BYTES = 1 << 30
"""What is read of recordings only to compare them: a few seconds."""


class Compared(NamedTuple):
    """What became of a comparison."""

    state: Sameness
    why: str = ""
    """Of ``other`` and ``gone``: what a sentence says of it, as ``has 5 bytes, and had 7``."""


def compared(recording: Recording, facts: Mapping[str, Any], most_bytes: int | None) -> Compared:
    """Compare a recording with what ``run.json`` says of it under ``inputs``.

    Args:
        recording: as it lies there now.
        facts: as of ``Recording.facts``, with the ``sha256`` where the run has read it to its end.
        most_bytes: may be read: a larger one is not compared, and one of the same size and time need not be. None: it is read
            to its end in any case where its SHA-256 is known.
    """
    try:
        if why := _unreadable(recording):
            return Compared("gone", why)
        now, sha256 = recording.facts(), str(facts.get("sha256", ""))
        size = now.get("size_bytes", 0)
        if size != (before := facts.get("size_bytes", size)):
            return Compared("other", f"has {size:,} bytes, and had {before:,} when it was read")
        in_time = "mtime_ns" in facts and facts["mtime_ns"] == now.get("mtime_ns")
        if in_time and (most_bytes is not None or not sha256):
            return Compared("unchanged")
        if not sha256 or (most_bytes is not None and size > most_bytes):
            return Compared("uncompared")
        if recording.sha256() == sha256:
            return Compared("same")
        return Compared("other", "is not the one that was read: its size is the same, its SHA-256 another one")
    except FileNotFoundError:
        return Compared("gone", "is not there")
    except OSError as error:
        return Compared("gone", f"cannot be read: {error.strerror}")


def check_same(recording: Recording, facts: Mapping[str, Any], most_bytes: int | None) -> Sameness:
    """Do the same, and refuse another one, and one that cannot be read.

    Raises:
        SourceError: it is (``not_found``); says what is wrong with it, and what to do.
    """
    state, why = compared(recording, facts, most_bytes)
    if state in ("other", "gone"):
        raise not_the_one(recording.name, recording.path, why)
    return state


def not_the_one(stream: str, path: object, why: str) -> SourceError:
    """Return what is raised where a recording is not the one that was read."""
    return SourceError(f"the recording of {stream}, {path}, {why}: say where it is now with --recording", "not_found")


def _unreadable(recording: Recording) -> str:
    """Return what a sentence says of a file that is none; empty: all can be opened.

    Raises:
        OSError: one cannot be, or there is none.
    """
    for path in recording.files:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "is a folder, and was a file" if path == recording.path else f"has a folder {path.name} in it"
        if not stat.S_ISREG(mode):
            return "is not a file"
        path.open("rb").close()
    return ""
