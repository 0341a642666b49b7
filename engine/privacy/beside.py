"""Names outside of runs: in a service's audit log, in the state that it keeps, in exports."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.files import FACES
from engine.audit import AuditLog
from engine.contracts.unreadable import UNREADABLE
from engine.errors import AuditError
from engine.privacy.mentions import Mentions

AUDIT = "audit.jsonl"
_RUNS = "runs"
_DESIRED = "desired"
_SAYS_NAMES = (".json", ".jsonl", ".people", ".csv", ".html", ".sqlite", ".sqlite-wal")
"""Endings of what the engine writes; films and pictures are not read."""


class LogErased(msgspec.Struct, kw_only=True):
    """What went from the audit log of a service."""

    file: str
    names: int = 0
    """Names that it has forgotten."""
    line: int | None = None
    """Number of its line that says so; None: it knew no name, or nothing was changed."""
    error: str = ""
    """Why it was not done; empty: it was."""


def files_beside(outputs: Sequence[Path], runs: Sequence[Path]) -> list[Path]:
    """Return the files that may say names, in folders of output and, where one is ``runs``, of the service around it.

    Args:
        outputs: output directories, or folders of them; a service's directory is one.
        runs: the directories of runs there, which are not looked into; links are not followed.
    """
    of_runs, found = {run.absolute() for run in runs}, dict[Path, None]()
    for output in map(Path.absolute, outputs):
        found |= dict.fromkeys(_inside(output, of_runs))
        for folder in (output, output.parent):
            if folder.name == _RUNS:
                around = folder.parent
                found |= dict.fromkeys(path for path in sorted(around.glob("*")) if _is_of_service(path.name))
    return [path for path in found if path.is_file() or path.is_symlink()]


def forgotten(paths: Sequence[Path], but: Path | None, person: Mentions, who: str, dry_run: bool) -> list[LogErased]:
    """Take a person out of each audit log among some files.

    Args:
        paths: of ``files_beside``.
        but: a log that it was done to before.
        person: who.
        who: erases; a line of each log that knew the person says so.
        dry_run: only count.
    """
    done = os.path.realpath(but.expanduser()) if but else None
    logs = [path for path in paths if path.name == AUDIT and os.path.realpath(path) != done]
    return [_forgotten(path, person, who, dry_run) for path in logs]


def _forgotten(path: Path, person: Mentions, who: str, dry_run: bool) -> LogErased:
    told, log = LogErased(file=str(path)), AuditLog(path)
    try:
        known = [name for name in log.names().values() if person.is_name(name)]
        told.names = len(known)
        if known and not dry_run:
            told.line = log.record(who or "unknown", "erase", people=known).number
            log.forget(person.is_name)
    except (AuditError, OSError) as error:
        told.error = str(error)
    return told


def mentions_in(paths: Sequence[Path], person: Mentions) -> list[str]:
    """Return which files hold a name still, or cannot be read, so that nobody knows."""
    return [str(path) for path in paths if not path.is_symlink() and _stands_in(path, person)]


def _stands_in(path: Path, person: Mentions) -> bool:
    try:
        return person.found_in_file(path) or (path.name.startswith(_DESIRED) and person.found_in(_answers_of(path)))
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _answers_of(path: Path) -> bytes:
    """Return as JSON what a service has answered, which stands in its state as MessagePack in base64."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, Any]).get("answers") or []
        replies = [base64.b64decode(one["reply"]) for one in kept]
        return b"\n".join(msgspec.json.encode(msgspec.msgpack.decode(reply)) for reply in replies)
    except (*UNREADABLE, binascii.Error, KeyError, TypeError, AttributeError):
        return b""


def _inside(output: Path, runs: set[Path]) -> Iterator[Path]:
    tops = [output, output / _RUNS] if (output / _RUNS).is_symlink() else [output]
    for folder, inside, names in chain.from_iterable(map(os.walk, tops)):
        if Path(folder) in runs:
            inside[:] = []
            continue
        inside[:] = sorted(name for name in inside if name != FACES)
        yield from (Path(folder) / name for name in sorted(names) if name.endswith(_SAYS_NAMES))


def _is_of_service(name: str) -> bool:
    return name.startswith((AUDIT, _DESIRED)) and name.endswith(_SAYS_NAMES)
