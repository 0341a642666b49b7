"""The recordings of a finished run, found again: ``decode.recording.reader_of`` numbers their frames as the run did."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.config import SourceConfig
from engine.contracts.recording import SERIES_FPS, Reading, Recording
from engine.contracts.stored import is_stored
from engine.errors import SourceError
from engine.footage.sameness import check_same, not_the_one
from engine.source.files import recordings_of
from engine.words.text import path_of


def recording_of(stream: str, facts: Mapping[str, Any], moved_to: Path | None = None) -> Recording:
    """Return a recording by what ``run.json`` says of it under ``inputs``; a file of that size is there.

    Args:
        stream: its name.
        facts: as of ``Recording.facts``, each of the shape that it has there (``archive.record.shaped``).
        moved_to: where it is now; None: where it was.

    Raises:
        SourceError: it is not there any more, or is not the one that was read (``not_found``); the message says what to do.
    """
    recording = recording_at(stream, facts, moved_to)
    check_same(recording, {key: facts[key] for key in ("size_bytes",) if key in facts}, 0)
    return recording


def recording_at(stream: str, facts: Mapping[str, Any], moved_to: Path | None = None) -> Recording:
    """Return where a recording should be, whatever lies there; of a series its pictures. See ``recording_of``.

    Raises:
        SourceError: ``run.json`` does not say where, or there is no series of so many pictures (``not_found``).
    """
    if moved_to is None and is_stored(facts.get("path", "")):
        raise not_the_one(stream, facts["path"], "is in object storage, from which it has to be copied first")
    path = moved_to or path_of(facts.get("path", ""))
    if path == Path():
        raise SourceError(f"run.json does not say where the recording of {stream} is: say it with --recording", "not_found")
    reading = msgspec.convert(facts.get("reading", {}), Reading)
    if "pictures" in facts:
        found = [one for one in recordings_of(SourceConfig(uri=str(path))) if len(one.pictures) == facts["pictures"]]
        if len(found) != 1:
            raise not_the_one(stream, path, "no longer has that many pictures")
        return Recording(stream, path, found[0].pictures, facts.get("fps", SERIES_FPS), reading)
    return Recording(stream, path, reading=reading)
