"""Who may be recognised: a SQLite file with one row for each enrolled picture.

Writers and readers may be different processes (write-ahead log): a reader sees a commit at its next call, and notices it by
``version``, which every change raises. A removed person is gone at the next call too, and their vectors are overwritten in the
file. An object belongs to the thread and the process that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from platformdirs import user_data_dir

from engine.contracts.frames import Float32
from engine.errors import GalleryError
from engine.verify import gallery_pictures as rows
from engine.verify import negatives as marked
from engine.verify.gallery_doubts import forget_lookalikes, lookalikes, rename_in_doubts
from engine.verify.gallery_epoch import note, settle
from engine.verify.gallery_export import PictureRow, write_pictures
from engine.verify.gallery_file import BUSY_SECONDS, GalleryFile
from engine.verify.gallery_reading import read_snapshot
from engine.verify.gallery_records import Enrolled, Faces, Identity, Kept
from engine.verify.gallery_watch import GalleryWatch
from engine.verify.person_name import spelling
from engine.verify.snapshot import Snapshot

_FOLLOWER_BUSY_SECONDS = 0.2
"""A writer is waited for so long by who follows: there is other work to do, and there will be another try."""


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
        if not read_only:
            settle(self._file)

    def follow(self, embedder_sha256: str) -> GalleryWatch:
        """Return what tells of changes: it opens the file anew each time, and outlives this object."""
        path = self.path

        def read() -> Snapshot:
            with Gallery(path, read_only=True, busy_seconds=_FOLLOWER_BUSY_SECONDS) as opened:
                return opened.snapshot(embedder_sha256)

        return GalleryWatch(path, read)

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
        apart: bool = False,
    ) -> None:
        """Enrol one picture, or set it apart; it is visible to every reader when this returns.

        The picture's earlier vector is replaced where it is the same person's and nothing records what computed it, unless this
        one is set apart.

        Args:
            identity: who it is; not empty. It is kept by its ``spelling``.
            embedding: (length,) of length 1.
            embedder: its name, for people.
            embedder_sha256: of the weights: vectors are compared only where this is equal.
            runtime: what computed the vector, with version and precision, as ``Embedder.runtime``.
            source_name: the picture's file name.
            picture_sha256: of the picture file; the same picture is never enrolled twice with one embedder, see ``holder``.
            quality: 0 to 1.
            doubt: what speaks against the picture, where it is enrolled all the same, or set apart.
            apart: nobody is compared with it until it is released.

        Raises:
            GalleryError: as for all methods, or the picture is there already, or the vector does not fit the others.
            ValueError: the name is empty, or the vector is not a finite vector of length 1.
        """
        identity, content = rows.checked(identity, embedding)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "identity": identity, "embedder": embedder, "embedder_sha256": embedder_sha256, "embedding": content,
            "source_name": source_name, "picture_sha256": picture_sha256, "quality": float(quality), "enrolled_at": now,
            "runtime": runtime, "doubt": doubt,
        }  # fmt: skip
        with self._changing() as changed:
            changed.append(rows.put(self._file, row, apart=apart))

    @contextmanager
    def _changing(self) -> Iterator[list[bool]]:
        """All changes inside, or none; give a list to append to: whether what is compared with has changed."""
        changed: list[bool] = []
        with self._file.transaction("IMMEDIATE"):
            yield changed
            if any(changed):
                self._file.execute("UPDATE state SET version = version + 1")
        if any(changed):
            note(self._file)

    def remove(self, name: str) -> int:
        """Take all pictures of a person out; return how many there were, 0 if nobody has this name, in any encoding."""
        with self._changing() as changed:
            removed = self._file.execute("DELETE FROM pictures WHERE identity = ?", (spelling(name),)).rowcount
            rename_in_doubts(self._file, name)
            negatives = marked.remove_negatives(self._file, name)
            apart = rows.remove_quarantined(self._file, name)
            changed.append(removed + negatives > 0)
        self._file.wipe()
        return removed + apart

    def remove_picture(self, name: str, picture_sha256: str) -> Sequence[Kept]:
        """Take one picture of a person out, with the vectors of all embedders, at once for every reader; return them.

        Args and Raises as for ``drop``.
        """
        with self._changing() as changed:
            out = rows.taken_out(self._file, name, picture_sha256)
            if not self.pictures(name):  # it was the last one
                rename_in_doubts(self._file, name)
                marked.remove_negatives(self._file, name)
            changed.append(True)
        self._file.wipe()
        return out

    def pictures(self, name: str = "") -> Sequence[Kept]:
        """Return the enrolled pictures, of everybody or of one person, by name and time."""
        return rows.listed(self._file, "pictures", name)

    def quarantined(self, name: str = "") -> Sequence[Kept]:
        """Return the pictures that were set apart, of everybody or of one person, by name and time."""
        return rows.listed(self._file, "quarantined", name)

    def release(self, picture_sha256: str, name: str = "") -> Kept:
        """Enrol a picture that was set apart; the gallery keeps the reason. See ``drop``."""
        with self._changing() as changed:
            one = rows.the_one(self.quarantined(name), picture_sha256, "in quarantine", "quarantine")
            changed.append(rows.released(self._file, one) > 0)
        self._file.wipe()
        return one

    def drop(self, picture_sha256: str, name: str = "") -> Kept:
        """Forget a picture that was set apart.

        Args:
            picture_sha256: of the picture, or what it begins with.
            name: of the person it was set apart for; empty: there is but one.

        Raises:
            GalleryError: as for all methods, or there is no such picture, or more than one.
        """
        with self._changing():
            one = rows.the_one(self.quarantined(name), picture_sha256, "in quarantine", "quarantine")
            rows.dropped(self._file, one)
        self._file.wipe()
        return one

    def rename(self, name: str, new: str) -> int:
        """Give all pictures of a person another name; return how many there were, 0 if nobody has this name.

        Where the new name is there already, both are one person from then on.

        Raises:
            GalleryError: as for all methods.
            ValueError: the new name is empty.
        """
        if not spelling(new):
            raise ValueError(f"needs a name, got {new!r}")
        with self._changing() as changed:
            renamed = self._file.execute(
                "UPDATE pictures SET identity = ? WHERE identity = ?", (spelling(new), spelling(name))
            ).rowcount
            marked.rename_negatives(self._file, name, new)
            apart = rows.rename_quarantined(self._file, name, new)
            if renamed or apart:
                rename_in_doubts(self._file, name, spelling(new))
            changed.append(renamed > 0)
        return renamed + apart

    def keep_negatives(self, name: str, embedder_sha256: str, source: str, vectors: Sequence[Float32]) -> int:
        """Keep faces that are not of a person, see ``engine.verify.negatives``; return how many are new.

        Args:
            name: of somebody in the gallery.
            embedder_sha256: of the weights that made the vectors.
            source: what they were seen in.
            vectors: (length,) each, of length 1.
        """
        with self._changing() as changed:
            kept = marked.keep_negatives(self._file, name, embedder_sha256, source, vectors)
            changed.append(kept > 0)
        return kept

    def forget_faces_of(self, names: Sequence[str], sources: Sequence[str] = (), dry_run: bool = False) -> Faces:
        """Forget what was kept as not of others and may be of a person, see ``engine.verify.negatives``, and what was set apart
        for others because it is like them; call it before ``remove``. Return how many there were.

        Args:
            names: of the person.
            sources: tracks that are known to be of them.
            dry_run: only count.
        """
        if dry_run:
            return Faces(len(marked.may_be_of(self._file, names, sources)), len(lookalikes(self._file, names)))
        before, found = self.version(), marked.may_be_of(self._file, names, sources)  # takes a while, and locks nobody out
        with self._changing() as changed:
            if self.version() != before:
                found = marked.may_be_of(self._file, names, sources)
            marked.forget(self._file, found)
            changed.append(bool(found))
            apart = forget_lookalikes(self._file, names)
        self._file.wipe()
        return Faces(len(found), apart)

    def negatives(self) -> dict[str, int]:
        """Return by person how many tracks were marked as not them."""
        return marked.count_negatives(self._file)

    def holder(self, picture_sha256: str, embedder_sha256: str) -> Enrolled | None:
        """Return whom a picture is enrolled for with an embedder; None if it is not."""
        return rows.holder_of(self._file, picture_sha256, embedder_sha256)

    def snapshot(self, embedder_sha256: str) -> Snapshot:
        """Return everything that vectors of one embedder may be compared with, from one moment."""
        return read_snapshot(self._file, embedder_sha256)

    def templates(self, embedder_sha256: str) -> tuple[Sequence[str], Float32]:
        """Return ``names`` and ``matrix`` of ``snapshot``."""
        snapshot = self.snapshot(embedder_sha256)
        return snapshot.names, snapshot.matrix

    def export(self, path: Path, embeddings: bool = False) -> int:
        """Write one line for each picture; return how many. See ``write_pictures``, whose errors it raises."""
        found = self._file.rows(f"SELECT {', '.join(PictureRow._fields)} FROM pictures ORDER BY identity, id")
        return write_pictures([PictureRow(*row) for row in found], path, embeddings)

    def list(self) -> list[Identity]:
        """Return everyone, by name."""
        return rows.everyone(self._file)

    def close(self) -> None:
        """Close the file; no other method may be called after it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
