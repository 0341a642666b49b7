"""Checks every record of an output directory: is it whole, and are its pictures and its embedding unchanged?"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import accumulate, islice
from pathlib import Path
from types import TracebackType

import msgspec

from engine.archive.files import inside, whole_lines
from engine.archive.pieces import chained_files
from engine.archive.vector_files import row_bytes, vector_length
from engine.contracts.unreadable import UNREADABLE

RECORDS = ("faces.jsonl", "tracks.jsonl")
_AT_ONCE = 256
_THREADS = 4
"""Reading small files waits for the disk more than for a core."""
_LARGEST_BYTES = 64 << 20
"""Of a picture."""


class _Part(msgspec.Struct, frozen=True):
    name: str
    shape: list[int]
    sha256: str


class _Row(msgspec.Struct, frozen=True):
    file: str
    row: int


class Record(msgspec.Struct, frozen=True):
    """What resuming needs of a line of ``faces.jsonl`` or ``tracks.jsonl``."""

    kind: str
    run_id: str
    stream: str
    seq: int
    track_id: int
    frame_index: int = -1
    box: tuple[float, float, float, float] | None = None
    """These two are of a face."""
    parts: list[_Part] = []
    files: dict[str, str] = {}
    embedding: _Row | None = None
    ended: bool = False

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Unique within a directory."""
        return self.run_id, self.kind, self.stream, self.seq


_DECODER = msgspec.json.Decoder(Record)


def decode_record(line: bytes) -> Record | None:
    """Return a line's record, None where it is not one."""
    try:
        return _DECODER.decode(line)
    except UNREADABLE:
        return None


@dataclass
class CheckedStream:
    """The whole records of one stream, by track."""

    faces: Counter[int] = field(default_factory=Counter)
    tracks: Counter[int] = field(default_factory=Counter)
    ended: Counter[int] = field(default_factory=Counter)
    """Those of ``tracks`` that say that the track is over."""

    def below(self, track_ids: list[int]) -> list[tuple[int, int]]:
        """Return for each id how many faces and tracks have a smaller ``track_id``."""
        return list(zip(_below(self.faces, track_ids), _below(self.tracks, track_ids), strict=True))

    @property
    def totals(self) -> tuple[int, int]:
        """How many faces and tracks there are."""
        return self.faces.total(), self.tracks.total()


@dataclass
class CheckedRecords:
    """All records of a directory."""

    streams: dict[str, CheckedStream] = field(default_factory=dict)
    broken: set[tuple[str, str, str, int]] = field(default_factory=set)
    """Keys of the records that a picture or an embedding is missing to."""
    unreadable: int = 0
    """Lines that are no record."""
    last_track_id: int = 0
    """Highest that was seen, broken records included."""


def check_records(directory: Path) -> CheckedRecords:
    """Read and verify all records of a run that nobody writes to.

    Raises:
        OSError: a file cannot be read, other than by not being there.
    """
    found = CheckedRecords()
    with _Embeddings(directory) as embeddings, ThreadPoolExecutor(_THREADS, "verify") as pool:

        def judge(line: bytes) -> tuple[Record | None, bool]:
            record = decode_record(line)
            return record, record is not None and is_intact(directory, record, embeddings)

        for name in RECORDS:
            lines = whole_lines(directory / name)
            while chunk := list(islice(lines, _AT_ONCE)):
                for record, intact in pool.map(judge, chunk):
                    _count(found, record, intact)
    return found


def size_of(path: Path) -> int:
    """Return a file's size in bytes, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def is_intact(directory: Path, record: Record, embeddings: _Embeddings) -> bool:
    """Whether every payload that a record names is there, byte by byte."""
    for part in record.parts:
        if part.name == "embedding":
            payload = embeddings.read(record.embedding, part.shape)
        else:
            path = inside(directory, record.files.get(part.name, ""))
            if path is None or not path.is_file():
                return False
            with path.open("rb") as file:
                payload = file.read(_LARGEST_BYTES)
        if hashlib.sha256(payload).hexdigest() != part.sha256:
            return False
    return True


def _count(found: CheckedRecords, record: Record | None, intact: bool) -> None:
    if record is None:
        found.unreadable += 1
        return
    found.last_track_id = max(found.last_track_id, record.track_id)
    if not intact:
        found.broken.add(record.key)
        return
    stream = found.streams.setdefault(record.stream, CheckedStream())
    if record.kind == "face":
        stream.faces[record.track_id] += 1
    else:
        stream.tracks[record.track_id] += 1
        stream.ended[record.track_id] += record.ended


def _below(counts: Counter[int], track_ids: list[int]) -> Iterator[int]:
    ids = sorted(counts)
    sums = [0, *accumulate(counts[track_id] for track_id in ids)]
    return (sums[bisect_left(ids, track_id)] for track_id in track_ids)


class _Embeddings:
    """Rows of the embedding files, readable from several threads."""

    def __init__(self, directory: Path) -> None:
        self._files = {name: os.open(directory / name, os.O_RDONLY) for name in chained_files(directory) if row_bytes(name)}

    def __enter__(self) -> _Embeddings:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for descriptor in self._files.values():
            os.close(descriptor)

    def read(self, row: _Row | None, shape: list[int]) -> bytes:
        """Return the bytes of a row, fewer or none where the file does not hold it."""
        if row is None or row.file not in self._files or shape != [vector_length(row.file)]:
            return b""
        length, descriptor = row_bytes(row.file), self._files[row.file]
        if not 0 <= row.row * length < os.fstat(descriptor).st_size:
            return b""
        return os.pread(descriptor, length, row.row * length)
