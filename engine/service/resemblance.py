"""Who and which tracks resemble a face."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from engine.archive.files import whole_lines
from engine.archive.lines import decoded
from engine.archive.reader import recorded
from engine.archive.record import embedder_sha256
from engine.archive.vectors import mapped_vectors
from engine.contracts.frames import Float32
from engine.control.answers import Match
from engine.verify.embedder import Embedder
from engine.verify.gallery.opening import Where, is_there, open_gallery
from engine.verify.scores import best_cosines

_MOST_RUNS = 200
_MOST_VECTORS = 10


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


def people_like(vector: Float32, gallery: Where, embedder: Embedder) -> list[Match]:
    """Return everyone in a gallery, the most alike first.

    Raises:
        GalleryError: it cannot be read.
    """
    if not is_there(gallery):
        return []
    with open_gallery(gallery, read_only=True) as opened:
        names, matrix = opened.templates(embedder.sha256)
    cosines = best_cosines(vector, names, matrix)
    return [Match(cosine=cosines[name], identity=name) for name in sorted(cosines, key=lambda name: (-cosines[name], name))]


def tracks_like(vector: Float32, runs: Path, embedder: Embedder, since_ns: int) -> list[Match]:
    """Return the tracks of runs that were written to since a moment (Unix, ns), the most alike first; those below the
    embedder's ``unknown_cosine`` are left out.

    Vectors of other embedders are not compared.
    """
    found: dict[tuple[str, str, int], float] = {}
    for directory in _newest_runs(runs, since_ns):
        if embedder_sha256(recorded(directory)) != embedder.sha256:
            continue
        for one in _vectors(directory, "tracks.jsonl"):
            if len(one.vector) != len(vector):
                continue
            key = (one.run_id, one.stream, one.track_id)
            found[key] = max(found.get(key, -1.0), float(one.vector @ vector))
    best = sorted((item for item in found.items() if item[1] >= embedder.unknown_cosine), key=lambda item: -item[1])
    return [Match(cosine=cosine, run_id=key[0], stream=key[1], track_id=key[2]) for key, cosine in best]


def vectors_of(directory: Path, stream: str, track_id: int) -> list[Float32]:
    """Return the vectors of one track of a run: the fused ones of its track lines, and those of some of its faces."""
    found: list[Float32] = []
    for lines in ("tracks.jsonl", "faces.jsonl"):
        of_track = (one.vector for one in _vectors(directory, lines, (stream, track_id)))
        found += deque(of_track, _MOST_VECTORS)
    return found


def _newest_runs(runs: Path, since_ns: int) -> list[Path]:
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


def _vectors(directory: Path, lines: str, wanted: tuple[str, int] | None = None) -> Iterator[TrackVector]:
    """Yield the vectors that the lines of a file name; of one track alone (stream, track id) no others are read."""
    matrices: dict[str, Float32 | None] = {}
    try:
        for line in whole_lines(directory / lines):
            track = decoded(line, _TrackLine)
            row = None if track is None else track.embedding
            if track is None or row is None or (wanted is not None and (track.stream, track.track_id) != wanted):
                continue
            if row.file not in matrices:
                matrices[row.file] = _mapped(directory, row.file)
            matrix = matrices[row.file]
            if matrix is not None and 0 <= row.row < len(matrix):
                yield TrackVector(track.run_id, track.stream, track.track_id, np.array(matrix[row.row], np.float32))
    except OSError:
        return


def _mapped(directory: Path, name: str) -> Float32 | None:
    """Return a file of vectors; None where it is none of a run, or cannot be read."""
    try:
        return mapped_vectors(directory, name)
    except OSError:
        return None
