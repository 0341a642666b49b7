"""The recordings of a finished run, found again: ``decode.recording.reader_of`` numbers their frames as the run did."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.config import SourceConfig
from engine.contracts.recording import SERIES_FPS, Reading, Recording
from engine.errors import SourceError
from engine.source.files import recordings_of


def recording_of(stream: str, facts: Mapping[str, Any], moved_to: Path | None = None) -> Recording:
    """Return a recording by what ``run.json`` says of it under ``inputs``.

    Args:
        stream: its name.
        facts: as of ``Recording.facts``, each of the shape that it has there (``archive.record.shaped``).
        moved_to: where it is now; None: where it was.

    Raises:
        SourceError: it is not there any more, or is not the one that was read (``not_found``); the message says what to do.
    """
    path = moved_to or Path(facts.get("path", ""))
    if path == Path():
        raise SourceError(f"run.json does not say where the recording of {stream} is: say it with --recording", "not_found")
    reading = msgspec.convert(facts.get("reading", {}), Reading)
    if "pictures" in facts:
        found = [one for one in recordings_of(SourceConfig(uri=str(path))) if len(one.pictures) == facts["pictures"]]
        if len(found) != 1:
            raise _other(stream, path, "no longer has that many pictures")
        recording = Recording(stream, path, found[0].pictures, facts.get("fps", SERIES_FPS), reading)
    else:
        recording = Recording(stream, path, reading=reading)
    now = recording.facts()
    if "size_bytes" not in now:
        raise _other(stream, path, "is not there any more")
    if now["size_bytes"] != facts.get("size_bytes", now["size_bytes"]):
        raise _other(stream, path, f"has {now['size_bytes']} bytes, and had {facts['size_bytes']}")
    return recording


def _other(stream: str, path: Path, why: str) -> SourceError:
    return SourceError(f"the recording of {stream}, {path}, {why}: say where it is now with --recording", "not_found")
