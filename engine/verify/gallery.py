"""Who may be recognised: a SQLite file with one row for each enrolled picture.

Writers and readers may be different processes (write-ahead log): a reader sees a commit at its next call, and notices it by
``version``, which every change raises. A removed person is gone at the next call too, and their vectors are overwritten in the
file. An object belongs to the thread and the process that made it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from platformdirs import user_data_dir

from engine.contracts.frames import Float32
from engine.errors import GalleryError
from engine.verify.gallery_doubts import forget_in_doubts
from engine.verify.gallery_export import PictureRow, write_pictures
from engine.verify.gallery_file import BUSY_SECONDS, GalleryFile
from engine.verify.negatives import count_negatives, keep_negatives, read_negatives, remove_negatives, rename_negatives
from engine.verify.person_name import spelling
from engine.verify.snapshot import Snapshot


class Identity(NamedTuple):
    """One enrolled person."""

    name: str
    pictures: int
    embedders: tuple[str, ...]
    """Names of the embedders that their pictures were enrolled with."""
    best_quality: float
    last_enrolled_at: str
    """UTC, ISO 8601."""
    in_doubt: int = 0
    """Pictures that were enrolled although something spoke against them."""
    unrecorded: int = 0
    """Pictures of which the gallery does not say what computed their vectors, as those of earlier versions."""


class Enrolled(NamedTuple):
    """One picture that is in the gallery."""

    identity: str
    runtime: str
    """What computed its vector, with version and precision; empty where that was not recorded."""


Identities = list[Identity]
Names = list[str]


def default_gallery_path() -> Path:
    """Return the user's own gallery, as ``~/.local/share/facestream/gallery.sqlite``."""
    return Path(user_data_dir("facestream", appauthor=False)) / "gallery.sqlite"


def open_gallery(path: str) -> Gallery:
    """Open what ``verify.gallery`` names (empty: ``default_gallery_path()``) to be compared with.

    It is made where it does not exist, and otherwise left as it is: one of an older format stays readable for the facestream
    that wrote it, and one on a disk that cannot be written is enough.

    Raises:
        GalleryError: see ``Gallery``.
    """
    where = Path(path).expanduser() if path else default_gallery_path()
    try:
        return Gallery(where, read_only=True)
    except GalleryError:  # not there, or being made at this moment
        return Gallery(where)


class Gallery:
    """An open gallery; made, with its folder, when it does not exist.

    Args:
        path: the file; None: ``default_gallery_path()``.
        read_only: never write; the file must exist.
        busy_seconds: how long another process that has locked the file is waited for.

    Raises:
        GalleryError: the file cannot be made or opened, or is not a gallery. Every method raises it for a file that is corrupt,
            locked or not writable.
    """

    def __init__(self, path: Path | None = None, read_only: bool = False, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path or default_gallery_path()
        self._file = GalleryFile(self.path, read_only, busy_seconds)

    def version(self) -> int:
        """Return the number of changes since the gallery was made; cheap enough to ask before every batch."""
        return int(self._file.rows("SELECT version FROM state")[0][0])

    def add(
        self,
        identity: str,
        embedding: Float32,
        *,
        embedder: str,
        embedder_sha256: str,
        runtime: str,
        source_name: str,
        picture_sha256: str,
        quality: float,
        doubt: str = "",
    ) -> None:
        """Enrol one picture; it is visible to every reader when this returns.

        The picture's earlier vector is replaced where it is the same person's and nothing records what computed it.

        Args:
            identity: who it is; not empty. It is kept by its ``spelling``.
            embedding: (length,) of length 1.
            embedder: its name, for people.
            embedder_sha256: of the weights: vectors are compared only where this is equal.
            runtime: what computed the vector, with version and precision, as ``Embedder.runtime``.
            source_name: the picture's file name.
            picture_sha256: of the picture file; the same picture is never enrolled twice with one embedder, see ``holder``.
            quality: 0 to 1.
            doubt: why the picture was in question, where it is enrolled all the same.

        Raises:
            GalleryError: as for all methods, or the picture is there already, or the vector does not fit the others.
            ValueError: the name is empty, or the vector is not a finite vector of length 1.
        """
        vector = np.ascontiguousarray(embedding, "<f4")
        identity = spelling(identity)
        if not identity or vector.ndim != 1 or not abs(float(np.linalg.norm(vector)) - 1) < 1e-3:
            raise ValueError(f"needs a name and a vector of length 1, got {identity!r} and a vector of shape {vector.shape}")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._file.transaction("IMMEDIATE"):
            other = self._file.rows(
                "SELECT length(embedding) / 4 FROM pictures WHERE embedder_sha256 = ? LIMIT 1", (embedder_sha256,)
            )
            if other and other[0][0] != len(vector):
                raise GalleryError(
                    f"the gallery {self.path} holds vectors of {other[0][0]} values from this embedder, not of {len(vector)}"
                )
            self._file.execute(
                "DELETE FROM pictures WHERE picture_sha256 = ? AND embedder_sha256 = ? AND identity = ? AND runtime = ''",
                (picture_sha256, embedder_sha256, identity),
            )
            self._file.execute(
                "INSERT INTO pictures (identity, embedder, embedder_sha256, embedding, source_name, picture_sha256, quality,"
                " enrolled_at, runtime, doubt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    identity,
                    embedder,
                    embedder_sha256,
                    vector.tobytes(),
                    source_name,
                    picture_sha256,
                    float(quality),
                    now,
                    runtime,
                    doubt,
                ),
            )
            self._file.execute("UPDATE state SET version = version + 1")

    def remove(self, name: str) -> int:
        """Take all pictures of a person out; return how many there were, 0 if nobody has this name, in any encoding."""
        with self._file.transaction("IMMEDIATE"):
            removed = self._file.execute("DELETE FROM pictures WHERE identity = ?", (spelling(name),)).rowcount
            forget_in_doubts(self._file, name)
            remove_negatives(self._file, name)
            if removed:
                self._file.execute("UPDATE state SET version = version + 1")
        # The log still holds the old pages: it is emptied as far as readers let go of it.
        self._file.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        return removed

    def rename(self, name: str, new: str) -> int:
        """Give all pictures of a person another name; return how many there were, 0 if nobody has this name.

        Where the new name is there already, both are one person from then on.

        Raises:
            GalleryError: as for all methods.
            ValueError: the new name is empty.
        """
        if not spelling(new):
            raise ValueError(f"needs a name, got {new!r}")
        with self._file.transaction("IMMEDIATE"):
            renamed = self._file.execute(
                "UPDATE pictures SET identity = ? WHERE identity = ?", (spelling(new), spelling(name))
            ).rowcount
            rename_negatives(self._file, name, new)
            if renamed:
                self._file.execute("UPDATE state SET version = version + 1")
        return renamed

    def keep_negatives(self, name: str, embedder_sha256: str, source: str, vectors: Sequence[Float32]) -> int:
        """Keep faces that are not of a person, see ``engine.verify.negatives``; return how many are new.

        Args:
            name: of somebody in the gallery.
            embedder_sha256: of the weights that made the vectors.
            source: what they were seen in.
            vectors: (length,) each, of length 1.
        """
        with self._file.transaction("IMMEDIATE"):
            kept = keep_negatives(self._file, name, embedder_sha256, source, vectors)
            if kept:
                self._file.execute("UPDATE state SET version = version + 1")
        return kept

    def negatives(self) -> dict[str, int]:
        """Return by person how many tracks were marked as not them."""
        return count_negatives(self._file)

    def holder(self, picture_sha256: str, embedder_sha256: str) -> Enrolled | None:
        """Return whom a picture is enrolled for with an embedder, and what computed its vector; None if it is not."""
        rows = self._file.rows(
            "SELECT identity, runtime FROM pictures WHERE picture_sha256 = ? AND embedder_sha256 = ?",
            (picture_sha256, embedder_sha256),
        )
        return Enrolled(*rows[0]) if rows else None

    def snapshot(self, embedder_sha256: str) -> Snapshot:
        """Return everything that vectors of one embedder may be compared with, from one moment."""
        with self._file.transaction("DEFERRED"):
            version = self.version()
            rows = self._file.rows(
                "SELECT identity, embedding FROM pictures WHERE embedder_sha256 = ? ORDER BY identity, id", (embedder_sha256,)
            )
            others = self._file.rows(
                "SELECT DISTINCT identity FROM pictures WHERE identity NOT IN"
                " (SELECT identity FROM pictures WHERE embedder_sha256 = ?) ORDER BY identity",
                (embedder_sha256,),
            )
            matrix = _matrix([blob for _, blob in rows], self.path)
            negatives = read_negatives(self._file, embedder_sha256, matrix.shape[1])
        names = [str(name) for name, _ in rows]
        return Snapshot(version, names, matrix, [str(name) for (name,) in others], negatives)

    def templates(self, embedder_sha256: str) -> tuple[Names, Float32]:
        """Return ``names`` and ``matrix`` of ``snapshot``."""
        snapshot = self.snapshot(embedder_sha256)
        return snapshot.names, snapshot.matrix

    def export(self, path: Path, embeddings: bool = False) -> int:
        """Write one line for each picture; return how many.

        Args:
            path: ``.jsonl`` or ``.csv``; replaced as a whole, or not at all.
            embeddings: also the vectors. They are biometric data of the people in them.

        Raises:
            GalleryError: also where ``path`` has another ending or cannot be written.
        """
        rows = self._file.rows(f"SELECT {', '.join(PictureRow._fields)} FROM pictures ORDER BY identity, id")
        return write_pictures([PictureRow(*row) for row in rows], path, embeddings)

    def list(self) -> Identities:
        """Return everyone, by name."""
        rows = self._file.rows(
            "SELECT identity, count(*), json_group_array(DISTINCT embedder), max(quality), max(enrolled_at),"
            " sum(doubt <> ''), sum(runtime = '') FROM pictures GROUP BY identity ORDER BY identity"
        )
        return [Identity(name, n, tuple(sorted(json.loads(used))), *rest) for name, n, used, *rest in rows]

    def close(self) -> None:
        """Close the file; no other method may be called after it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def unrecorded(people: Identities) -> str:
    """Return one sentence about vectors of which the gallery does not say what computed them, empty if there are none."""
    names = [person.name for person in people if person.unrecorded]
    if not names:
        return ""
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"{some}: enrolled by an earlier version, which may have computed vectors in bfloat16, where a cosine differs by up to "
        "0.01; they are compared as before, enrol the same pictures again to replace them"
    )


def _matrix(blobs: Sequence[bytes], path: Path) -> Float32:
    lengths = {len(blob) for blob in blobs}
    if len(lengths) > 1 or any(length == 0 or length % 4 for length in lengths):
        raise GalleryError(f"the gallery {path} holds damaged vectors: restore it from a copy, or enrol again into a new file")
    width = lengths.pop() // 4 if lengths else 0
    return np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), width).astype(np.float32)
