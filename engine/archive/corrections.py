"""What people have said about the tracks of finished runs: ``corrections.jsonl``, one line each, beside what the run wrote.

Lines are only ever added. A wrong one is undone by another, so the file tells who said what, when, and who took it back.
A correction of tracks in several directories is written to each of them, with the same id, so that each can be read alone.
Nothing that a run has written is changed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from engine.archive.files import Appended, cut_torn_line, whole_lines
from engine.archive.pieces import CORRECTIONS
from engine.archive.record import attempts
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError
from engine.lock import alone_with

FORMAT = "facestream/correction/1"
What = Literal["merge", "split", "name", "undo"]
_ID_DIGITS = 8
_ANONYMOUS_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_ANONYMOUS_LENGTH = 7
"""Among 10,000 tracks one time in 700 two are called the same."""


class TrackRef(msgspec.Struct, frozen=True, order=True):
    """One track, wherever its directory is moved to."""

    run: str
    """``run_id`` of the directory's first attempt."""
    stream: str
    track_id: int


class Correction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line."""

    format: str
    """``FORMAT``, or that of a later version."""
    id: str
    """Eight hex digits."""
    at: str
    """UTC, ISO 8601."""
    who: str
    """The user's name on the machine, or what was given."""
    what: What
    tracks: list[TrackRef] = []
    """``merge``: of one person; ``split``: not of the person of ``others``; ``name``: of the person who gets the name."""
    others: list[TrackRef] = []
    name: str = ""
    """Of ``name``; empty: the name that was given before is taken back."""
    undoes: str = ""
    """Of ``undo``: the id of the correction, which may be an ``undo`` itself, that no longer holds."""
    note: str = ""
    """Why, in the words of whoever did it."""
    erased: bool = False
    """The name, or a note with it, was here until the person was erased, or the tracks expired."""


def new_correction(
    who: str,
    what: What,
    tracks: Iterable[TrackRef] = (),
    others: Iterable[TrackRef] = (),
    name: str = "",
    undoes: str = "",
    note: str = "",
) -> Correction:
    """Return a correction of now."""
    return Correction(
        format=FORMAT,
        id=secrets.token_hex(_ID_DIGITS // 2),
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        who=who,
        what=what,
        tracks=sorted(set(tracks)),
        others=sorted(set(others)),
        name=name,
        undoes=undoes,
        note=note,
    )


def append_correction(directories: Iterable[Path], correction: Correction) -> None:
    """Add one to the file of each directory; all is on the disk on return.

    Raises:
        PublishError: one cannot be written, also because somebody else is writing it for seconds; doing it again adds it again,
            which changes nothing.
    """
    line = msgspec.json.encode(correction) + b"\n"
    for directory in directories:
        path = _file_of(directory)
        try:
            with alone_with(path):
                cut_torn_line(path)
                with closing(Appended(path)) as file:
                    file.append(line)
                    file.sync()
        except OSError as error:
            raise PublishError(f"cannot write {path}: {error.strerror}: nothing was corrected there") from error


def correction_lines(directory: Path) -> list[bytes]:
    """Return the lines of a directory's corrections in their order, each as it stands in the file, with its line break; none
    where nobody has corrected anything.

    Raises:
        PublishError: the file cannot be read.
    """
    path = _file_of(directory)
    try:
        return list(whole_lines(path))
    except OSError as error:
        raise PublishError(f"cannot read {path}: {error.strerror}") from error


def _file_of(directory: Path) -> Path:
    path = directory / CORRECTIONS
    if path.is_symlink():
        raise PublishError(f"{path} is a link, which is not followed: put the file itself in its place")
    return path


def read_corrections(directories: Iterable[Path]) -> list[Correction]:
    """Return the corrections of some directories, each once, by their time.

    Raises:
        PublishError: a file cannot be read, or a line of one is none: what it said must not be passed over.
    """
    found: dict[str, Correction] = {}
    for directory in directories:
        for number, line in enumerate(correction_lines(directory), 1):
            try:
                one = msgspec.json.decode(line, type=Correction)
            except UNREADABLE as error:
                where = f"{directory / CORRECTIONS}, line {number}"
                raise PublishError(f"{where} is not a correction ({error}): correct it, or move the file away") from error
            found.setdefault(one.id, one)
    return sorted(found.values(), key=lambda one: one.at)  # of one moment: as they stand in the file


def in_force(corrections: Sequence[Correction]) -> list[Correction]:
    """Return those that nobody has undone, in their order, without the undoing."""
    undoing: dict[str, list[str]] = {}
    for one in corrections:
        if one.what == "undo":
            undoing.setdefault(one.undoes, []).append(one.id)

    def holds(one: str, asked: frozenset[str] = frozenset()) -> bool:
        later = [other for other in undoing.get(one, []) if other not in asked]  # a file that was tampered with may go round
        return not any(holds(other, asked | {one}) for other in later)

    return [one for one in corrections if one.what != "undo" and holds(one.id)]


def origin_of(record: dict[str, Any]) -> str:
    """Return ``TrackRef.run`` of the tracks of a directory, by its ``run.json``; empty where that does not say it."""
    return str(attempts(record)[0].get("run_id") or record.get("run_id") or "")


def anonymous_id(track: TrackRef) -> str:
    """Return what the person of a track is called until somebody knows better, as ``P-7K2MXQ4``: the same for ever, on every
    machine, and nothing can be read from it."""
    digest = hashlib.sha256(msgspec.json.encode(track)).digest()
    number = int.from_bytes(digest[:8], "big")
    letters = []
    for _ in range(_ANONYMOUS_LENGTH):
        number, letter = divmod(number, len(_ANONYMOUS_LETTERS))
        letters.append(_ANONYMOUS_LETTERS[letter])
    return "P-" + "".join(letters)
