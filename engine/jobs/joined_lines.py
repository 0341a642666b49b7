"""The lines and pictures of segments on their way into one directory: they get its numbers, and change in nothing else."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from heapq import nlargest
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from engine.archive.files import Stored, inside
from engine.archive.reader import FaceLine, TrackLine, VectorRow, face_lines, track_lines
from engine.archive.rejected import rejected_lines
from engine.archive.writer import DirectorySink
from engine.contracts.envelope import Envelope, sealed
from engine.contracts.messages import Part
from engine.contracts.rejected import Rejected
from engine.contracts.streams import StreamChanged
from engine.errors import PublishError


class Lines:
    """Writes into a directory what others hold.

    Args:
        sink: of the directory.
        run_id: of the run that it is.
        most_rejected: of tracks that were rejected.
    """

    def __init__(self, sink: DirectorySink, run_id: str, most_rejected: int) -> None:
        self._sink, self._run_id, self._most_rejected = sink, run_id, most_rejected
        self._next_seq: Counter[tuple[str, str]] = Counter()
        self._next_track_id = 1
        self._rejected: list[tuple[Rejected, Stored]] = []
        self.faces = self.tracks = 0
        """Lines of faces, and tracks that have ended."""

    def say(self, event: StreamChanged) -> None:
        """Write a state of a stream."""
        envelope = Envelope(self._run_id, self._seq("stream", event.stream), time.time_ns())
        self._sink.write(sealed(event, envelope), [])

    def take(self, directory: Path, first_id: int) -> Counter[str]:
        """Write the faces and tracks of a segment, but for tracks with a smaller id.

        Returns:
            How many there were: ``faces``, ``enhanced`` of them, and ``track_pictures``.

        Raises:
            PublishError: a file of the segment is missing or damaged.
            OutputError: they cannot be written.
        """
        counts: Counter[str] = Counter()
        ids: dict[int, int] = {}
        seqs: dict[int, int] = {}
        with _Vectors(directory) as vectors:
            for face in face_lines(directory, lambda stream, track_id: track_id >= first_id):
                seqs[face.face.seq] = self._face(directory, vectors, face, ids)
                counts["faces"] += 1
                counts["enhanced"] += face.face.enhanced is not None
            for track in track_lines(directory):
                if track.track.track_id >= first_id:
                    self._track(directory, vectors, track, ids, seqs)
                    counts["track_pictures"] += track.track.ended and track.track.picture is not None
                    self.tracks += track.track.ended
        self.faces += counts["faces"]
        for line in rejected_lines(directory):
            if line.track_id >= first_id and (path := line.picture(directory)) is not None:
                self._rejected.append((line, Stored(path)))
        self._rejected = nlargest(self._most_rejected, self._rejected, key=lambda one: one[0].score)
        return counts

    def finish(self) -> None:
        """Write the likeliest tracks that were rejected, by numbers behind all others: those do not depend on the segments.

        Raises:
            OutputError: they cannot be written.
        """
        for track, picture in self._rejected:
            self._sink.write_rejected(replace(track, track_id=self._id(-1, {})), [picture])

    def _face(self, directory: Path, vectors: _Vectors, line: FaceLine, ids: dict[int, int]) -> int:
        face = line.face
        seq, track_id = self._seq("face", face.stream), self._id(face.track_id, ids)
        message = replace(face, run_id=self._run_id, seq=seq, track_id=track_id)
        self._sink.write(message, _payloads(directory, vectors, line, face.parts))
        return seq

    def _track(self, directory: Path, vectors: _Vectors, line: TrackLine, ids: dict[int, int], seqs: dict[int, int]) -> None:
        track = line.track
        seq, track_id = self._seq("track", track.stream), self._id(track.track_id, ids)
        best = None if track.best_face_seq is None else seqs.get(track.best_face_seq)
        message = replace(track, run_id=self._run_id, seq=seq, track_id=track_id, best_face_seq=best)
        self._sink.write(message, _payloads(directory, vectors, line, track.parts))

    def _id(self, track_id: int, ids: dict[int, int]) -> int:
        if track_id not in ids:
            ids[track_id] = self._next_track_id
            self._next_track_id += 1
        return ids[track_id]

    def _seq(self, kind: str, stream: str) -> int:
        self._next_seq[kind, stream] += 1
        return self._next_seq[kind, stream] - 1


class _Vectors:
    """The files of vectors of a directory, opened when they are first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._files, self._open = directory, dict[str, BinaryIO](), ExitStack()

    def __enter__(self) -> _Vectors:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def row(self, at: VectorRow, size_bytes: int) -> bytes:
        """Return a vector's bytes; fewer, or none, where the file does not hold it."""
        if at.file not in self._files:
            self._files[at.file] = self._open.enter_context(_own(self._directory, at.file).open("rb"))
        file = self._files[at.file]
        if not 0 <= at.row * size_bytes < os.fstat(file.fileno()).st_size:
            return b""
        file.seek(at.row * size_bytes)
        return file.read(size_bytes)


def _payloads(
    directory: Path, vectors: _Vectors, line: FaceLine | TrackLine, parts: Sequence[Part]
) -> list[bytes | memoryview | Stored]:
    found: list[bytes | memoryview | Stored] = []
    for part in parts:
        if part.name != "embedding":
            if part.name not in line.files:
                raise PublishError(
                    f"a line in {directory} does not say where its {part.name} is: remove it to process it again"
                )
            found.append(Stored(_own(directory, line.files[part.name])))
            continue
        size_bytes = 4 * part.shape[0]
        row = b"" if line.vector is None else vectors.row(line.vector, size_bytes)
        if len(row) != size_bytes:
            raise PublishError(f"a vector is missing in {directory}: remove it to process it again")
        found.append(row)
    return found


def _own(directory: Path, name: str) -> Path:
    """Return a file that a line names. Who has written the line may be another machine, and gets no file of this one for it.

    Raises:
        PublishError: it leads elsewhere.
    """
    path = inside(directory, name)
    if path is None:
        raise PublishError(f"a line in {directory} names {name[:200]!r}, which is not in there: remove it to process it again")
    return path
