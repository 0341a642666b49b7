"""The messages of a finished run, in the order in which they were sent, each with what it carried."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from engine.archive.reader import FaceLine, TrackLine
from engine.client.results import Run
from engine.contracts.messages import Face, Part, Stream, Track

_VECTOR = "embedding"


@dataclass
class Lost:
    """What the directory does not have any more, or has changed."""

    missing: int = 0
    """Parts of messages: they have expired, or were deleted."""
    changed: list[Path] = field(default_factory=list)
    """Files that are not what was sent, by their SHA-256: their parts are left out."""


def recorded_messages(run: Run, lost: Lost, without: Collection[str]) -> Iterator[tuple[Face | Track | Stream, list[bytes]]]:
    """Yield each message with its payloads, one for each of its ``parts``: those that are not there any more are left out.

    ``stats`` and ``end`` are not written to a directory.

    Args:
        run: the run.
        lost: is told what is left out.
        without: names of parts that are not asked for.

    Raises:
        PublishError: a file of the run cannot be read.
    """
    lines: list[Iterator[FaceLine | TrackLine | Stream]] = [run.streams(), run.faces(), run.track_messages()]
    for line in heapq.merge(*lines, key=_sent):
        if isinstance(line, Stream):
            yield line, []
            continue
        message = line.face if isinstance(line, FaceLine) else line.track
        parts: list[Part] = []
        payloads: list[bytes] = []
        for part in message.parts:
            payload = None if part.name in without else _payload(run, line, part, lost)
            if payload is not None:
                parts.append(part)
                payloads.append(payload)
        yield replace(message, parts=parts), payloads


def _sent(line: FaceLine | TrackLine | Stream) -> int:
    return (line.face if isinstance(line, FaceLine) else line.track if isinstance(line, TrackLine) else line).sent_ns


def _payload(run: Run, line: FaceLine | TrackLine, part: Part, lost: Lost) -> bytes | None:
    path, payload = run.path(line, part.name), None
    if part.name == _VECTOR:
        vector = run.vector(line)
        payload = None if vector is None else vector.tobytes()
        path = None if line.vector is None else run.directory / line.vector.file
    elif path is not None:
        payload = _read(path)
    if payload is None or path is None:
        lost.missing += 1
    elif hashlib.sha256(payload).hexdigest() != part.sha256:
        lost.changed.append(path)
        return None
    return payload


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
