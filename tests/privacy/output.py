"""Output directories and galleries with several people in them, as runs leave them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.findings import Candidate
from engine.contracts.recording import Recording
from engine.publish.numbering import Numbering
from engine.report.page import write_report
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.publish.samples import face, stream_event, track

RUN = {"run_id": "run1", "config": {"output": {"report_tracks": 40}}}
Walk = tuple[str, Sequence[str]]
"""A decision, and the candidates, best first."""


def candidates(names: Sequence[str]) -> list[Candidate]:
    return [Candidate(name, 0.7 - place / 10) for place, name in enumerate(names)]


def write_run(
    directory: Path, walks: Sequence[Walk], stream: str = "cam1", faces: int = 2, report: bool = True, fused: bool = False
) -> Path:
    """Write a finished run over a recording in which each walk is a track of two faces, with ids from 1; ``fused``: each with
    one picture of both."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    recording = directory.parent / f"{directory.name}.mp4"
    recording.write_bytes(b"video")
    facts = Recording(stream, recording).facts()
    sink = DirectorySink(OutputConfig(directory=str(directory)), RUN | {"inputs": {stream: facts}})
    numbering, row = Numbering("run1"), 0
    sink.record_input(stream, str(recording), 5, Recording(stream, recording).sha256(), recording.stat().st_mtime_ns)
    sink.write(numbering.stamp(stream_event(stream)), [])
    for track_id, (decision, names) in enumerate(walks, 1):
        for index in range(faces):
            body, payloads = face(stream, track_id, index, decision=decision)
            row += 1
            payloads[-1] = vector(row)
            parts = [*body.parts[:-1], replace(body.parts[-1], sha256=hashlib.sha256(vector(row)).hexdigest())]
            sink.write(numbering.stamp(replace(body, candidates=candidates(names), parts=parts)), payloads)
        body, payloads = track(stream, track_id, decision=decision, frames=range(faces) if fused else ())
        sink.write(numbering.stamp(replace(body, candidates=candidates(names))), payloads)
        sink.checkpoint(stream, 10 * track_id, track_id + 1)
    sink.write(numbering.stamp(stream_event(stream, "ended", "end_of_file")), [])
    sink.close("completed", {"workers": {"enhance-1": {"embedder": "dlib", "embedder_sha256": "ab"}}})
    if report:
        write_report(directory, 40)
    return directory


def vector(row: int) -> bytes:
    return np.full(128, row, "<f4").tobytes()


def lines(directory: Path, name: str = "faces.jsonl") -> list[dict]:
    return [json.loads(line) for line in (directory / name).read_bytes().splitlines()]


def enrol(path: Path, *names: str, doubt: str = "") -> Path:
    with Gallery(path) as gallery:
        for name in names:
            embedding = np.zeros(128, np.float32)
            embedding[len(name) % 128] = 1
            gallery.add(
                name, embedding, embedder="dlib", embedder_sha256="ab", runtime="test", source_name="a.jpg",
                picture_sha256=name, quality=0.9, doubt=doubt,
            )  # fmt: skip
    return path


def all_bytes(directory: Path) -> bytes:
    """Everything in a directory, names of files too."""
    return b"\n".join(
        str(path.relative_to(directory)).encode() + b"\n" + (path.read_bytes() if path.is_file() else b"")
        for path in sorted(directory.rglob("*"))
    )
