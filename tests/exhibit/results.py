"""Small results with a chain."""

from __future__ import annotations

from pathlib import Path

from engine.archive.resume import Resume
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.exhibit.verify import verify
from engine.publish.numbering import Numbering
from tests.publish.samples import end, face, stream_event, track


def sink(
    directory: Path, *, resume: Resume | None = None, expires: bool = False, run_id: str = "run1", **output: object
) -> DirectorySink:
    config = OutputConfig(directory=str(directory), **output)
    return DirectorySink(
        config, {"run_id": run_id, "config": {"output": {"sign": config.sign}}}, resume=resume, expires=expires
    )


def write_some(written: DirectorySink, numbering: Numbering, tracks: int = 2, faces: int = 3, first: int = 1) -> None:
    for track_id in range(first, first + tracks):
        for index in range(faces):
            message, payloads = face("cam1", track_id, index)
            written.write(numbering.stamp(message), payloads)
        message, payloads = track("cam1", track_id, frames=range(faces))
        written.write(numbering.stamp(message), payloads)


def finished(directory: Path, **output: object) -> Path:
    """Write a run of two tracks with three faces each."""
    written, numbering = sink(directory, **output), Numbering("run1")
    written.write(numbering.stamp(stream_event("cam1")), [])
    write_some(written, numbering)
    written.write(numbering.stamp(stream_event("cam1", "ended", "end_of_file")), [])
    written.write(numbering.stamp(end()), [])
    written.close("completed")
    return directory


def faults(directory: Path, *keys: str, holds: str = "") -> list[str]:
    return [fault.sentence for fault in verify(directory, keys, holds).faults]


def notes(directory: Path) -> list[str]:
    return verify(directory).notes
