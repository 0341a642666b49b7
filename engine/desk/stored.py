"""What searching and grouping need of a result, read at once into little memory: 100,000 faces in a moment."""

from __future__ import annotations

import contextlib
import gc
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from engine.archive.corrections import origin_of
from engine.archive.lines import last_words, read_lines
from engine.archive.reader import VectorRow
from engine.archive.record import workers
from engine.archive.vector_files import vector_length
from engine.client.results import Key, Run, load_run
from engine.contracts.findings import Basis, Candidate, Quality
from engine.contracts.times import Int64, StreamSeconds, UnixNs
from engine.errors import PublishError
from engine.words.times import clock, wall_clock


class StoredFace(msgspec.Struct, frozen=True, gc=False):
    """A line of ``faces.jsonl``: only the fields that are needed here."""

    stream: str
    track_id: Int64
    pts_seconds: StreamSeconds
    captured_ns: UnixNs
    quality: Quality
    live: bool = False
    recorded_ns: UnixNs | None = None
    files: dict[str, str] = {}
    embedding: VectorRow | None = None

    @property
    def taken_ns(self) -> int | None:
        """Wall-clock time at which it was taken (Unix, nanoseconds); None: unknown."""
        return self.captured_ns if self.live else self.recorded_ns


class _TrackLine(msgspec.Struct, frozen=True):
    stream: str
    track_id: Int64
    run_id: str
    ended: bool
    first_pts_seconds: StreamSeconds
    last_pts_seconds: StreamSeconds
    decision: str
    candidates: list[Candidate] = []
    first_recorded_ns: UnixNs | None = None
    basis: Basis | None = None
    files: dict[str, str] = {}
    embedding: VectorRow | None = None


_Says = TypeVar("_Says", StoredFace, _TrackLine)
BEFORE_TRACK = ":#"
"""Separates a result from one of its tracks."""


@dataclass(frozen=True, eq=False, slots=True)
class StoredTrack:
    """One track: its last message, and its faces."""

    result: Result
    stream: str
    track_id: int
    attempt: str
    """``run_id`` of the attempt that wrote it; times in seconds are comparable only within one stream of one attempt."""
    first_seconds: float
    last_seconds: float
    faces: list[StoredFace]
    """Best first."""
    line: _TrackLine | None
    """None: a killed run did not get to write it."""

    @property
    def name(self) -> str:
        """The identity that was decided; empty: nobody who was enrolled."""
        line = self.line
        return line.candidates[0].identity if line and line.decision == "known" and line.candidates else ""

    @property
    def where(self) -> str:
        """Its name on the command line: ``RESULT:stream/track``."""
        return f"{self.result.run.directory}:{self.stream}/{self.track_id}"

    def is_same_as(self, other: StoredTrack) -> bool:
        """Whether both are one track, perhaps of two copies of a result."""
        return (self.result.origin, self.stream, self.track_id) == (other.result.origin, other.stream, other.track_id)

    def is_called(self, words: str) -> bool:
        """Whether words name this track: ``stream/track``, ``RESULT:stream/track`` or ``RESULT:track``, where RESULT is any
        path to the result, or its folder's name.
        """
        of_stream, directory = f"{self.stream}/{self.track_id}", self.result.run.directory
        if words == of_stream:
            return True
        ends = [between + place for between in BEFORE_TRACK for place in (of_stream, str(self.track_id))]
        named = [words.removesuffix(end) for end in ends if words.endswith(end)]
        return any(one == directory.name or os.path.realpath(one) == os.path.realpath(directory) for one in named if one)

    @property
    def size_px(self) -> float:
        """Mean size of its faces, weighted as in the fusion if its weights were stored, else by quality; 0 without faces."""
        if self.line is not None and self.line.basis is not None:
            return self.line.basis.size_px
        weights = np.array([max(face.quality.score, 1e-6) for face in self.faces])
        return float(weights @ [face.quality.size_px for face in self.faces] / weights.sum()) if len(weights) else 0.0

    @property
    def moments(self) -> int:
        """Number of moments at which it was seen, as the fusion counts them."""
        if self.line is not None and self.line.basis is not None and self.line.basis.moments is not None:
            return self.line.basis.moments
        return len(self.faces)

    @property
    def persons(self) -> int:
        """Number of people its faces show, as stored; 1 if that is unknown."""
        return self.line.basis.persons if self.line is not None and self.line.basis is not None else 1

    @property
    def taken_ns(self) -> int | None:
        """Wall-clock time at which it begins (Unix, nanoseconds); None: unknown."""
        if self.line is not None and self.line.first_recorded_ns is not None:
            return self.line.first_recorded_ns
        return min((face.taken_ns for face in self.faces if face.taken_ns is not None), default=None)

    @property
    def when(self) -> str:
        """Its beginning in words: wall-clock time if that is known, otherwise time in the recording."""
        return when(self.taken_ns, self.first_seconds)

    @property
    def vector(self) -> NDArray[np.float32] | None:
        """(d,) of length 1: the fused vector, or its best face's if there is none; None: both have expired."""
        places = [self.line.embedding if self.line else None, *(face.embedding for face in self.faces[:1])]
        return next((row for place in places if (row := self.result.run.row(place)) is not None), None)

    def picture(self, parts: tuple[str, ...] = ("original",)) -> Path | None:
        """Return the picture file of its best face: the first of these parts that still exists; None if none does."""
        for face in self.faces:
            for part in parts:
                if (path := self.result.run.file(face.files.get(part))) is not None:
                    return path
        return None


@dataclass(frozen=True, eq=False)
class Result:
    """One output directory."""

    run: Run
    origin: str
    """``run_id`` of its first attempt; it stays the same when the run is resumed or the directory is moved."""
    embedder: str
    """Embedder of its vectors; empty: it has none."""
    embedder_sha256: str
    faces: list[StoredFace]
    tracks: list[StoredTrack]
    astray: int
    """Number of lines that point to rows outside the file of vectors; they count as having no vector."""

    @property
    def label(self) -> str:
        """What to call it in a table."""
        return self.run.directory.name or str(self.run.directory)


def read_result(directory: Path) -> Result:
    """Read an output directory, also of a run that is still going on or was killed.

    Raises:
        PublishError: it is not an output directory, it cannot be read, or its vectors are of several embedders.
    """
    with collector_rests():
        return _read(load_run(directory))


def _read(run: Run) -> Result:
    directory = run.directory
    names, digests = _embedders(run)
    if len(digests) > 1:
        raise PublishError(
            f"{directory} holds vectors of several embedders ({', '.join(sorted(names))}), which cannot be told apart"
        )
    words = list(last_words(read_lines(directory / "tracks.jsonl", _TrackLine), lambda line: line))
    faces = list(read_lines(directory / "faces.jsonl", StoredFace))
    file = _file_of_vectors(run, [*faces, *words])
    astray = _drop_astray(run, file, faces) + _drop_astray(run, file, words)
    lines = {(word.stream, word.track_id): word for word in words}
    result = Result(run, origin_of(run.record), next(iter(names), ""), next(iter(digests), ""), faces, [], astray)
    of_track: dict[Key, list[StoredFace]] = {key: [] for key in lines}
    for face in faces:
        of_track.setdefault((face.stream, face.track_id), []).append(face)
    result.tracks.extend(_track(result, key, of_track[key], lines.get(key)) for key in of_track)
    return result


@contextlib.contextmanager
def collector_rests() -> Iterator[None]:
    """Pause the garbage collector, which would scan very many new objects over and over though none can be freed yet."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def when(taken_ns: int | None, seconds: float) -> str:
    """Return a time in words: wall-clock time if it is known, otherwise time in the recording."""
    return clock(seconds) if taken_ns is None else wall_clock(taken_ns)


def _embedders(run: Run) -> tuple[set[str], set[str]]:
    compared = [facts for facts in workers(run.record) if facts.get("embedder_sha256")]
    return {str(facts.get("embedder")) for facts in compared}, {str(facts["embedder_sha256"]) for facts in compared}


def _file_of_vectors(run: Run, said: Sequence[StoredFace | _TrackLine]) -> str:
    """Return the file of vectors that most lines name, which can be opened: all vectors of one embedder have one length and lie
    in one file. Empty if there is none.

    Raises:
        PublishError: it cannot be read.
    """
    places = (one.embedding for one in said if one.embedding is not None)
    named = Counter(place.file for place in places if vector_length(place.file))
    usual = max(named, key=named.__getitem__, default="")
    if usual:
        run.rows(usual)
    return usual


def _drop_astray(run: Run, file: str, said: list[_Says]) -> int:
    """Drop references to vectors that are not in the file; return how many there were."""
    found = 0
    for at, one in enumerate(said):
        place = one.embedding
        if place is not None and not (place.file == file and run.holds(place)):
            said[at], found = replace(one, embedding=None), found + 1
    return found


def _track(result: Result, key: Key, faces: list[StoredFace], line: _TrackLine | None) -> StoredTrack:
    faces.sort(key=lambda face: -face.quality.score)
    times = [face.pts_seconds for face in faces]
    first = line.first_pts_seconds if line else min(times)
    last = line.last_pts_seconds if line else max(times)
    return StoredTrack(result, *key, line.run_id if line else "", first, last, faces, line)
