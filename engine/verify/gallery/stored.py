"""The rules of a gallery, whichever database holds its tables.

An object belongs to the thread and process that created it.
"""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from engine.contracts.frames import Float32
from engine.runtime.closing import Closing
from engine.verify.gallery import negatives as marked
from engine.verify.gallery import pictures as rows
from engine.verify.gallery.doubts import forget_lookalikes, lookalikes, rename_in_doubts
from engine.verify.gallery.export import PictureRow, write_pictures
from engine.verify.gallery.joining import check_free
from engine.verify.gallery.person_name import spelling
from engine.verify.gallery.reading import read_snapshot
from engine.verify.gallery.records import Enrolled, Faces, Held, Identity, Kept
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.gallery.store import GalleryNews
from engine.verify.gallery.tables import GalleryTables


class StoredGallery(Closing):
    """An open gallery; see ``GalleryWriter``.

    Args:
        tables: closed with it.

    Every method raises ``GalleryError`` for a database that is damaged, locked, away or not writable.
    """

    def __init__(self, tables: GalleryTables) -> None:
        self.tables = tables

    @property
    def where(self) -> str:
        """Name of the gallery in messages, without a password."""
        return self.tables.where

    @abstractmethod
    def follow(self, embedder_sha256: str) -> GalleryNews:
        """See ``GalleryReader``."""

    def is_empty(self) -> bool:
        """Whether nobody is enrolled."""
        return not self.tables.rows("SELECT 1 FROM pictures LIMIT 1")

    def version(self) -> int:
        """Return the number of changes since the gallery was created."""
        return int(self.tables.rows("SELECT version FROM state")[0][0])

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
        portrait: bytes = b"",
    ) -> None:
        """Enrol one picture, or quarantine it; it is visible to every reader when this returns.

        An earlier vector of the picture is replaced if it is the same person's and has no recorded runtime, unless this one is
        quarantined.

        Args:
            identity: name of the person; not empty. It is stored in its ``spelling``.
            embedding: (length,) of length 1.
            embedder: its name, for people.
            embedder_sha256: of the weights: only vectors with the same one are compared.
            runtime: runtime that computed the vector, with version and precision, as ``Embedder.runtime``.
            source_name: the picture's file name.
            picture_sha256: of the picture file; the same picture is never enrolled twice with one embedder, see ``holder``.
            quality: 0 to 1.
            doubt: what speaks against the picture; empty if nothing does.
            apart: quarantine it: faces are not compared with it until it is released.
            portrait: the face as a small JPEG, stored only with quarantined pictures, for the person who decides.

        Raises:
            GalleryError: as for all methods, or the picture is stored already, or the vector does not fit the others.
            ValueError: the name is empty, or the vector is not a finite vector of length 1.
        """
        identity, content = rows.checked(identity, embedding)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "identity": identity, "embedder": embedder, "embedder_sha256": embedder_sha256, "embedding": content,
            "source_name": source_name, "picture_sha256": picture_sha256, "quality": float(quality), "enrolled_at": now,
            "runtime": runtime, "doubt": doubt, "portrait": base64.b64encode(portrait).decode(),
        }  # fmt: skip
        with self._changing() as changed:
            forgotten = rows.put(self.tables, row, apart=apart)
            changed.append(not apart)
        if forgotten:
            self.tables.wipe()

    @contextmanager
    def _changing(self) -> Iterator[list[bool]]:
        """Make all changes of the block, or none; yield a list to which callers append whether data for comparisons changed."""
        changed: list[bool] = []
        with self.tables.writing():
            yield changed
            if any(changed):
                self.tables.execute("UPDATE state SET version = version + 1")

    def remove(self, name: str) -> Held:
        """Remove all pictures of a person; return how many there were, none if nobody has this name in any encoding."""
        with self._changing() as changed:
            removed = self.tables.execute("DELETE FROM pictures WHERE identity = ?", (spelling(name),))
            rename_in_doubts(self.tables, name)
            negatives = marked.remove_negatives(self.tables, name)
            apart = rows.remove_quarantined(self.tables, name)
            changed.append(removed + negatives > 0)
        self.tables.wipe()
        return Held(removed, apart)

    def remove_picture(self, name: str, picture_sha256: str) -> Sequence[Kept]:
        """Remove one picture of a person, with the vectors of all embedders, at once for every reader; return what was removed.

        Args and Raises as for ``drop``.
        """
        with self._changing() as changed:
            out = rows.taken_out(self.tables, name, picture_sha256)
            if not self.pictures(name):  # it was the person's last picture
                rename_in_doubts(self.tables, name)
                marked.remove_negatives(self.tables, name)
            changed.append(True)
        self.tables.wipe()
        return out

    def pictures(self, name: str = "") -> Sequence[Kept]:
        """Return the enrolled pictures, of everybody or of one person, by name and time."""
        return rows.listed(self.tables, "pictures", name)

    def quarantined(self, name: str = "") -> Sequence[Kept]:
        """Return the quarantined pictures of everybody or of one person, by name and time."""
        return rows.listed(self.tables, "quarantined", name)

    def portraits(self) -> dict[tuple[str, str], bytes]:
        """Return the portraits of quarantined pictures as small JPEGs, by person and SHA-256; those without one
        are left out.
        """
        return rows.portraits(self.tables)

    def release(self, picture_sha256: str, name: str = "") -> Kept:
        """Enrol a quarantined picture; the gallery keeps the reason. See ``drop``."""
        with self._changing() as changed:
            one = rows.the_one(self.quarantined(name), picture_sha256, "in quarantine", "quarantine")
            changed.append(rows.released(self.tables, one) > 0)
        self.tables.wipe()
        return one

    def drop(self, picture_sha256: str, name: str = "") -> Kept:
        """Delete a quarantined picture.

        Args:
            picture_sha256: of the picture, or its first digits.
            name: of the person it was quarantined for; may be empty if there is only one.

        Raises:
            GalleryError: as for all methods. GalleryRefusal: there is no such picture, or more than one, or it may not be
                released.
        """
        with self._changing():
            one = rows.the_one(self.quarantined(name), picture_sha256, "in quarantine", "quarantine")
            rows.dropped(self.tables, one)
        self.tables.wipe()
        return one

    def people(self) -> dict[str, Held]:
        """Return the number of pictures of each person, enrolled and quarantined, by name."""
        return rows.counted(self.tables)

    def rename(self, name: str, new: str, *, join: bool = False) -> Held:
        """Rename a person; return how many pictures there were, 0 if nobody has this name.

        Args:
            name: current name of the person.
            new: the new name; if it is the same, nothing is done.
            join: if somebody has the new name already, both become one person, which cannot be undone.

        Raises:
            GalleryError: as for all methods.
            NameTakenError: somebody has the new name already, and they are not to be joined.
            ValueError: the new name is empty.
        """
        if not spelling(new):
            raise ValueError(f"needs a name, got {new!r}")
        with self._changing() as changed:
            if spelling(new) == spelling(name):
                return self.people().get(spelling(name), Held())
            if not join:
                check_free(self.people(), name, new)
            renamed = self.tables.execute(
                "UPDATE pictures SET identity = ? WHERE identity = ?", (spelling(new), spelling(name))
            )
            marked.rename_negatives(self.tables, name, new)
            apart = rows.rename_quarantined(self.tables, name, new)
            if renamed or apart:
                rename_in_doubts(self.tables, name, spelling(new))
            changed.append(renamed > 0)
        return Held(renamed, apart)

    def keep_negatives(self, name: str, embedder_sha256: str, source: str, vectors: Sequence[Float32]) -> int:
        """Store faces that do not show a person, see ``engine.verify.gallery.negatives``; return how many are new.

        Args:
            name: of somebody in the gallery.
            embedder_sha256: of the embedder's weights.
            source: the track in which they were seen.
            vectors: (length,) each, of length 1.
        """
        with self._changing() as changed:
            kept = marked.keep_negatives(self.tables, name, embedder_sha256, source, vectors)
            changed.append(kept > 0)
        return kept

    def forget_faces_of(self, names: Sequence[str], sources: Sequence[str], dry_run: bool) -> Faces:
        """Delete negatives of other people that may show a person, see ``engine.verify.gallery.negatives``, and pictures
        quarantined for others because they resemble the person; call it before ``remove``. Return how many there were.

        Args:
            names: the person's names.
            sources: tracks known to show the person.
            dry_run: only count.
        """
        if dry_run:
            return Faces(len(marked.may_be_of(self.tables, names, sources)), len(lookalikes(self.tables, names)))
        before, found = self.version(), marked.may_be_of(self.tables, names, sources)  # takes a while, but locks nobody out
        with self._changing() as changed:
            if self.version() != before:
                found = marked.may_be_of(self.tables, names, sources)
            marked.forget(self.tables, found)
            changed.append(bool(found))
            apart = forget_lookalikes(self.tables, names)
        self.tables.wipe()
        return Faces(len(found), apart)

    def negatives(self) -> dict[str, int]:
        """Return by person how many tracks were marked as not showing them."""
        return marked.count_negatives(self.tables)

    def holder(self, picture_sha256: str, embedder_sha256: str) -> Enrolled | None:
        """Return the person for whom a picture is enrolled with an embedder; None if it is not."""
        return rows.holder_of(self.tables, picture_sha256, embedder_sha256)

    def snapshot(self, embedder_sha256: str) -> Snapshot:
        """Return everything that vectors of one embedder may be compared with, from one moment."""
        return read_snapshot(self.tables, embedder_sha256)

    def templates(self, embedder_sha256: str) -> tuple[Sequence[str], Float32]:
        """Return ``names`` and ``matrix`` of ``snapshot``."""
        snapshot = self.snapshot(embedder_sha256)
        return snapshot.names, snapshot.matrix

    def export(self, path: Path, embeddings: bool = False) -> int:
        """Write one line for each picture; return how many. See ``write_pictures``, whose errors it raises."""
        found = self.tables.rows(f"SELECT {', '.join(PictureRow._fields)} FROM pictures ORDER BY identity, id")
        return write_pictures([PictureRow(*row) for row in found], path, embeddings)

    def list(self) -> list[Identity]:
        """Return everyone, by name."""
        return rows.everyone(self.tables)

    def close(self) -> None:
        """Close the gallery; no other method may be called afterwards."""
        self.tables.close()
