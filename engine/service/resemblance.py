"""Who and which tracks resemble a face."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from engine.archive.files import whole_lines
from engine.archive.reader import recorded
from engine.contracts.frames import Float32
from engine.control.verbs import Match
from engine.verify.embedder import Embedder
from engine.verify.gallery import Gallery
from engine.verify.scores import best_cosines

_MOST_RUNS = 200


class _Row(msgspec.Struct, frozen=True):
    file: str
    row: int


class _TrackLine(msgspec.Struct, frozen=True):
    """Of a line of ``tracks.jsonl`` what is needed to find its vector."""

    run_id: str
    stream: str
    track_id: int
    embedding: _Row | None = None


class TrackVector(NamedTuple):
    """The fused vector of a track."""

    run_id: str
    stream: str
    track_id: int
    vector: Float32
    """(length,) of length 1."""


def people_like(vector: Float32, gallery: Path, embedder: Embedder) -> list[Match]:
    """Return everyone in a gallery, the most alike first.

    Raises:
        GalleryError: it cannot be read.
    """
    if not gallery.exists():
        return []
    with Gallery(gallery, read_only=True) as opened:
        names, matrix = opened.templates(embedder.sha256)
    cosines = best_cosines(vector, names, matrix)
    return [Match(cosine=cosines[name], identity=name) for name in sorted(cosines, key=lambda name: (-cosines[name], name))]


def tracks_like(vector: Float32, runs: Path, embedder: Embedder, since_ns: int) -> list[Match]:
    """Return the tracks of runs that were written to since a moment (Unix, ns), the most alike first; those below the
    embedder's ``unknown_cosine`` are left out.

    Vectors of other embedders are not compared, as far as their length or the run tells.
    """
    found: dict[tuple[str, str, int], float] = {}
    for directory in newest_runs(runs, since_ns):
        told = recorded(directory).get("models", {})
        if isinstance(told, dict) and embedder.sha256 not in str(told) and "sha256" in str(told):
            continue
        for one in track_vectors(directory, len(vector)):
            key = (one.run_id, one.stream, one.track_id)
            found[key] = max(found.get(key, -1.0), float(one.vector @ vector))
    best = sorted((item for item in found.items() if item[1] >= embedder.unknown_cosine), key=lambda item: -item[1])
    return [Match(cosine=cosine, run_id=key[0], stream=key[1], track_id=key[2]) for key, cosine in best]


def newest_runs(runs: Path, since_ns: int) -> list[Path]:
    """Return the output directories that were written to since a moment, newest first."""
    found = []
    for directory in runs.iterdir() if runs.is_dir() else ():
        try:
            written_ns = (directory / "tracks.jsonl").stat().st_mtime_ns
        except OSError:
            continue
        if written_ns >= since_ns:
            found.append((written_ns, directory))
    return [directory for _, directory in sorted(found, reverse=True)[:_MOST_RUNS]]


def track_vectors(directory: Path, length: int) -> Iterator[TrackVector]:
    """Yield the vectors, of so many values, of the tracks of a run."""
    file = directory / f"embeddings_{length}.f32"
    try:
        matrix = np.memmap(file, "<f4", "r").reshape(-1, length) if file.stat().st_size >= 4 * length else None
        lines = list(whole_lines(directory / "tracks.jsonl"))
    except (OSError, ValueError):
        return
    for line in lines:
        try:
            track = msgspec.json.decode(line, type=_TrackLine)
        except msgspec.DecodeError:
            continue
        row = track.embedding
        if matrix is not None and row is not None and row.file == file.name and 0 <= row.row < len(matrix):
            yield TrackVector(track.run_id, track.stream, track.track_id, np.asarray(matrix[row.row], np.float32))
