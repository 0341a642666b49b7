"""The pictures of a gallery: enrolled ones, with which faces are compared, and doubtful ones, which are quarantined until
somebody has looked.
"""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.contracts.frames import Float32
from engine.errors import GalleryError, GalleryRefusal
from engine.verify.gallery.person_name import spelling
from engine.verify.gallery.records import Enrolled, Held, Identity, Kept
from engine.verify.gallery.tables import GalleryTables, Table

COLUMNS = (
    "identity", "embedder", "embedder_sha256", "embedding", "source_name", "picture_sha256", "quality", "enrolled_at",
    "runtime", "doubt",
)  # fmt: skip
"""Columns of enrolled and of quarantined pictures; ``doubt`` is the reason of the quarantine."""
APART_COLUMNS = (*COLUMNS, "portrait")
"""Columns of quarantined pictures; no portrait is kept of an enrolled one."""
_TABLES: tuple[Table, Table] = ("pictures", "quarantined")
_LIST = "identity, source_name, picture_sha256, quality, enrolled_at, embedder, embedder_sha256, doubt"


def checked(identity: str, embedding: Float32) -> tuple[str, bytes]:
    """Return a name and a vector as they are stored.

    Raises:
        ValueError: the name is empty, or the vector is not a finite vector of length 1.
    """
    vector, name = np.ascontiguousarray(embedding, "<f4"), spelling(identity)
    if not name or vector.ndim != 1 or not abs(float(np.linalg.norm(vector)) - 1) < 1e-3:
        raise ValueError(f"needs a name and a vector of length 1, got {name!r} and a vector of shape {vector.shape}")
    return name, vector.tobytes()


def put(file: GalleryTables, row: Mapping[str, Any], *, apart: bool) -> bool:
    """Store one picture as enrolled or quarantined, within a transaction; return whether it was quarantined before, which is
    then undone.

    An earlier vector of the same picture is replaced if it was quarantined. An enrolled one without a recorded runtime is
    replaced only by an enrolled one: it stays until the new one is released.

    Args:
        file: of the gallery.
        row: values by ``APART_COLUMNS``.
        apart: quarantine the picture.

    Raises:
        GalleryError: the picture is stored already, or the vector does not fit the others.
    """
    length = len(row["embedding"]) // 4
    for (other,) in file.rows("SELECT embedding FROM pictures WHERE embedder_sha256 = ? LIMIT 1", (row["embedder_sha256"],)):
        if len(other) // 4 != length:
            has = f"holds vectors of {len(other) // 4} values from this embedder, not of {length}"
            raise GalleryError(f"the gallery {file.where} {has}")
    of_picture = "picture_sha256 = ? AND embedder_sha256 = ? AND identity = ?"
    key = (row["picture_sha256"], row["embedder_sha256"], row["identity"])
    if apart:
        _refuse_enrolled(file, row)
        file.make("quarantined")
    else:
        file.execute(f"DELETE FROM pictures WHERE {of_picture} AND runtime = ''", key)
    forgotten = file.has("quarantined") and file.execute(f"DELETE FROM quarantined WHERE {of_picture}", key) > 0
    table, columns = ("quarantined", APART_COLUMNS) if apart else ("pictures", COLUMNS)
    values = tuple(row[name] for name in columns)
    file.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", values)
    return forgotten


def _refuse_enrolled(file: GalleryTables, row: Mapping[str, Any]) -> None:
    """Refuse to quarantine a picture that is enrolled, unless it may replace a vector of an earlier version."""
    held = holder_of(file, row["picture_sha256"], row["embedder_sha256"])
    if held and (held.runtime or held.identity != row["identity"]):
        raise GalleryRefusal(_enrolled_words(row["picture_sha256"], held.identity))


def _enrolled_words(picture_sha256: str, name: str) -> str:
    begins = picture_sha256[:8]
    advice = f"take it out there first with `facestream gallery remove {shlex.quote(name)} --picture {begins}`"
    return f"the picture {begins} is enrolled for {name}: {advice}"


def everyone(file: GalleryTables) -> list[Identity]:
    """Return the people who have enrolled pictures, by name.

    Raises:
        GalleryError: the gallery cannot be read.
    """
    used: dict[str, list[str]] = {}
    for name, embedder in file.rows("SELECT DISTINCT identity, embedder FROM pictures ORDER BY identity, embedder"):
        used.setdefault(name, []).append(embedder)
    rows = file.rows(
        "SELECT identity, count(*), max(quality) AS quality, max(enrolled_at) AS enrolled_at,"
        " count(*) FILTER (WHERE doubt <> ''), count(*) FILTER (WHERE runtime = '')"
        " FROM pictures GROUP BY identity ORDER BY identity"
    )
    return [Identity(name, n, tuple(used[name]), *rest) for name, n, *rest in rows]


def holder_of(file: GalleryTables, picture_sha256: str, embedder_sha256: str) -> Enrolled | None:
    """Return the person for whom a picture is enrolled with an embedder; None if it is not.

    Raises:
        GalleryError: it cannot be read.
    """
    rows = file.rows(
        "SELECT identity, runtime FROM pictures WHERE picture_sha256 = ? AND embedder_sha256 = ?",
        (picture_sha256, embedder_sha256),
    )
    return Enrolled(*rows[0]) if rows else None


def listed(file: GalleryTables, table: Table, name: str = "") -> list[Kept]:
    """Return the pictures of one table, of everybody or of one person, by name and time.

    Raises:
        GalleryError: it cannot be read.
    """
    if table == "quarantined" and not file.has("quarantined"):
        return []
    whose, values = ("WHERE identity = ?", (spelling(name),)) if name else ("", ())
    rows = file.rows(f"SELECT {_LIST} FROM {table} {whose} ORDER BY identity, enrolled_at, id", values)
    return [Kept(*row) for row in rows]


def by_number(file: GalleryTables, embedder_sha256: str) -> dict[int, Kept]:
    """Return the enrolled pictures of one embedder by the number of their row.

    Raises:
        GalleryError: it cannot be read.
    """
    rows = file.rows(f"SELECT id, {_LIST} FROM pictures WHERE embedder_sha256 = ?", (embedder_sha256,))
    return {int(number): Kept(*row) for number, *row in rows}


def counted(file: GalleryTables) -> dict[str, Held]:
    """Return the number of pictures of each person, enrolled and quarantined, by name.

    Raises:
        GalleryError: it cannot be read.
    """
    enrolled, apart = (
        {str(name): int(pictures) for name, pictures in file.rows(f"SELECT identity, count(*) FROM {table} GROUP BY identity")}
        if file.has(table)
        else {}
        for table in _TABLES
    )
    return {name: Held(enrolled.get(name, 0), apart.get(name, 0)) for name in sorted({*enrolled, *apart})}


def portraits(file: GalleryTables) -> dict[tuple[str, str], bytes]:
    """Return the portraits of quarantined pictures as small JPEGs, by person and SHA-256; those without one are left out.

    Raises:
        GalleryError: they cannot be read.
    """
    if not file.has("quarantined"):
        return {}
    rows = file.rows("SELECT identity, picture_sha256, portrait FROM quarantined WHERE portrait <> ''")
    return {(who, sha256): base64.b64decode(portrait) for who, sha256, portrait in rows}


def the_one(pictures: Sequence[Kept], begins: str, where: str, listing: str) -> Kept:
    """Return the picture whose SHA-256 begins with some digits; if it has vectors of several embedders, the first.

    Args:
        pictures: the pictures to search.
        begins: the first digits.
        where: place of the pictures in messages, such as "in quarantine".
        listing: the command that lists them.

    Raises:
        GalleryRefusal: no picture or several pictures begin so, or several people have that picture.
    """
    found = [one for one in pictures if begins and one.picture_sha256.startswith(begins.lower())]
    if not found:
        raise GalleryRefusal(f"no picture {where} begins with {begins!r}: see `facestream gallery {listing}`")
    if len({one.picture_sha256 for one in found}) > 1:
        raise GalleryRefusal(f"several pictures {where} begin with {begins!r}: give more of what the list shows")
    if len(people := list(dict.fromkeys(one.identity for one in found))) > 1:
        whose = ", ".join(map(repr, people))
        raise GalleryRefusal(f"the picture {begins!r} {where} is of several people, {whose}: say whose with --name")
    return found[0]


def taken_out(file: GalleryTables, name: str, begins: str) -> list[Kept]:
    """Remove one enrolled picture of a person with the vectors of all embedders, within a transaction; return what was removed.
    Quarantined vectors of the picture are deleted, too.

    Raises:
        GalleryError: see ``the_one``.
    """
    theirs = listed(file, "pictures", name)
    one = the_one(theirs, begins, f"of {spelling(name)}", "pictures")
    key = (one.picture_sha256, one.identity)
    file.execute("DELETE FROM pictures WHERE picture_sha256 = ? AND identity = ?", key)
    if file.has("quarantined"):
        dropped(file, one)
    return [kept for kept in theirs if kept.picture_sha256 == one.picture_sha256]


def released(file: GalleryTables, one: Kept) -> int:
    """Enrol a quarantined picture of a person, within a transaction; return how many vectors it had.

    Raises:
        GalleryError: it is enrolled for somebody else.
    """
    columns, key = ", ".join(COLUMNS), (one.picture_sha256, one.identity)
    of_embedders = "SELECT embedder_sha256 FROM quarantined WHERE picture_sha256 = ? AND identity = ?"
    for (embedder,) in file.rows(of_embedders, key):
        held = holder_of(file, one.picture_sha256, embedder)
        if held and held.identity != one.identity:
            raise GalleryRefusal(_enrolled_words(one.picture_sha256, held.identity))
        file.execute("DELETE FROM pictures WHERE picture_sha256 = ? AND identity = ? AND embedder_sha256 = ?", (*key, embedder))
    file.execute(
        f"INSERT INTO pictures ({columns}) SELECT {columns} FROM quarantined WHERE picture_sha256 = ? AND identity = ?", key
    )
    return dropped(file, one)


def dropped(file: GalleryTables, one: Kept) -> int:
    """Delete a quarantined picture of a person, within a transaction; return how many vectors it had."""
    key = (one.picture_sha256, one.identity)
    return file.execute("DELETE FROM quarantined WHERE picture_sha256 = ? AND identity = ?", key)


def remove_quarantined(file: GalleryTables, name: str) -> int:
    """Delete a person's quarantined pictures, within a transaction; return how many there were."""
    if not file.has("quarantined"):
        return 0
    return file.execute("DELETE FROM quarantined WHERE identity = ?", (spelling(name),))


def rename_quarantined(file: GalleryTables, name: str, new: str) -> int:
    """Move a person's quarantined pictures to another name, within a transaction; return how many there were."""
    if not file.has("quarantined"):
        return 0
    there = file.execute(
        "UPDATE quarantined SET identity = ? WHERE identity = ? AND NOT EXISTS (SELECT 1 FROM quarantined AS other"
        " WHERE other.identity = ? AND other.picture_sha256 = quarantined.picture_sha256"
        " AND other.embedder_sha256 = quarantined.embedder_sha256)",
        (spelling(new), spelling(name), spelling(new)),
    )
    if spelling(new) != spelling(name):  # the remaining ones are quarantined for both names
        there += remove_quarantined(file, name)
    return there
