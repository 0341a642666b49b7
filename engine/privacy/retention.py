"""How long what finished runs have written is kept, by kind of data. A run that goes on sees to it itself: ``output.keep_...``.

Age counts from when a line was written. Pictures, vectors and lines are really gone afterwards: files are deleted, rows of
vectors become zeros, lines are no longer in their file, and the report is made anew from what is left.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.chain import CHAIN, Keep
from engine.archive.chain_cuts import cutting, has_chain
from engine.archive.checkpoints import PROGRESS
from engine.archive.files import FACES, whole_lines
from engine.archive.pieces import CORRECTIONS
from engine.archive.reader import recorded
from engine.archive.vector_files import vector_files
from engine.contracts.unreadable import UNREADABLE
from engine.errors import FacestreamError, UsageError
from engine.keys.signing import SigningKey
from engine.privacy.cutting import LINES, REJECTED_KIND, Cut, Judge, Record, cut, key_of
from engine.privacy.folder import Destroyed, Folder
from engine.privacy.orphans import remove_orphans
from engine.privacy.runs import REPORT, RUN, GoesOn, Report, nobody_writes, report_anew, runs_below
from engine.privacy.said import forget_gone
from engine.privacy.scenes import without_scene

_DAY_NS = 86_400 * 10**9


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Days after which something goes; 0: it stays."""

    pictures_days: float = 0.0
    """Pictures of faces."""
    vectors_days: float = 0.0
    """Vectors of faces and tracks, which can identify a person."""
    records_days: float = 0.0
    """Lines of faces, tracks and streams, with all that they name; a run of which no line is left goes as a whole."""
    strangers_days: float = 0.0
    """Tracks of people who were not recognised: lines, pictures and vectors; all whole pictures, as they may be on them;
    and tracks that were rejected."""

    @property
    def keeps_all(self) -> bool:
        return not (self.pictures_days or self.vectors_days or self.records_days or self.strangers_days)


class Expired(msgspec.Struct, kw_only=True):
    """What went from one output directory."""

    directory: str
    tracks: int = 0
    faces: int = 0
    changed_lines: int = 0
    pictures: int = 0
    vectors: int = 0
    bytes: int = 0
    """Of pictures, vectors and lines."""
    removed: bool = False
    """The whole run went."""
    report: Report = ""
    not_followed: list[str] = []
    goes_on: bool = False
    """A run writes there now: it deletes by itself what its own settings say."""
    error: str = ""
    """Why not all was done; empty: it was."""


class TooOld(Judge):
    """Takes out of a run what is too old.

    Args:
        directory: of the run.
        policy: how long what is kept.
        now_ns: Unix, nanoseconds.

    Raises:
        OSError: a file cannot be read.
    """

    def __init__(self, directory: Path, policy: Policy, now_ns: int) -> None:
        self._policy, self._now_ns = policy, now_ns
        self.newest_ns = 0
        """When the newest line was written; 0: there is none."""
        self._last_ns: dict[tuple[str, int], int] = {}
        self._named: dict[tuple[str, int], bool] = {}
        with Folder(directory) as folder:
            names = list(filter(folder.is_file, LINES))
        self._fallback_ns = max((os.stat(directory / name).st_mtime_ns for name in names), default=0)
        for name in names:
            for line in whole_lines(directory / name):
                self._look(line)

    def record(self, record: Record) -> Record | None:
        """See ``Judge``."""
        sent = self._sent_ns(record)
        if self._is_over(self._policy.records_days, sent):
            return None
        if record.get("kind") == REJECTED_KIND:  # a picture of a stranger
            days = self._policy.pictures_days, self._policy.strangers_days
            return None if any(self._is_over(one, sent) for one in days) else record
        if record.get("kind") not in ("face", "track"):
            return record
        key = key_of(record)
        if not self._named.get(key) and self._is_over(self._policy.strangers_days, self._last_ns[key]):
            return None
        if self._is_over(self._policy.strangers_days, sent):
            record = without_scene(record)
        if self._is_over(self._policy.pictures_days, sent):
            record = _less(record, "files", lambda part: part != "embedding")
        if self._is_over(self._policy.vectors_days, sent):
            record = _less(record, "embedding", lambda part: part == "embedding")
        return record

    def keeps_unreadable(self, line: bytes) -> bool:
        """See ``Judge``."""
        return not any(
            self._is_over(days, self._fallback_ns) for days in (self._policy.records_days, self._policy.strangers_days)
        )

    def _look(self, line: bytes) -> None:
        try:
            record = msgspec.json.decode(line, type=Record)
        except UNREADABLE:
            return
        key, sent = key_of(record), self._sent_ns(record)
        self.newest_ns = max(self.newest_ns, sent)
        self._last_ns[key] = max(sent, self._last_ns.get(key, 0))
        if record.get("kind") == "track":
            self._named[key] = record.get("decision") == "known"
        elif record.get("decision") == "known":
            self._named.setdefault(key, True)

    def _sent_ns(self, record: Record) -> int:
        return _believed(record.get("sent_ns"), self._fallback_ns)

    def _is_over(self, days: float, at_ns: int) -> bool:
        return days > 0 and at_ns < self._now_ns - days * _DAY_NS


def expire(
    path: Path, policy: Policy, now_ns: int | None = None, *, dry_run: bool = False, key: SigningKey | None = None
) -> list[Expired]:
    """Apply a policy to the finished runs at a path, or up to three levels below it.

    Args:
        path: the output directory of a run, or a folder of them.
        policy: how long what is kept.
        now_ns: Unix, nanoseconds; None: the clock of this machine.
        dry_run: change nothing, only count.
        key: signs what the chains of the runs are told; None: it is not signed.

    Returns:
        What went from each run; one that cannot be worked on has an ``error``, and the others go on.

    Raises:
        UsageError: there is no such directory, or the policy keeps everything.
    """
    days = msgspec.structs.astuple(policy)
    if not all(0 <= one < math.inf for one in days):
        raise UsageError(f"cannot keep something for {min(days):g} days: give 0 or more, 0 keeps it")
    if policy.keeps_all:
        raise UsageError("nothing is to expire: 0 days keep it for ever, so give a number above 0, as --pictures-days 7")
    now_ns = time.time_ns() if now_ns is None else now_ns
    return [_one(directory, policy, now_ns, dry_run, key) for directory in runs_below(path)]


def _one(directory: Path, policy: Policy, now_ns: int, dry_run: bool, key: SigningKey | None) -> Expired:
    told = Expired(directory=str(directory))
    try:
        with nobody_writes(directory):
            judge = TooOld(directory, policy, now_ns)
            before = _bytes_of(directory)
            found = cut(directory, judge, dry_run=True) if dry_run or has_chain(directory) else Cut()
            if not dry_run:
                touched = cutting(directory, "expire", key=key, keep=_rule(policy)) if found.touches else nullcontext()
                with touched:
                    found = cut(directory, judge)
                    if found.tracks:
                        forget_gone(directory, judge)
            told.tracks, told.faces, told.changed_lines = found.tracks, found.faces, found.changed
            told.removed = policy.records_days > 0 and _ended_ns(directory, judge) < now_ns - policy.records_days * _DAY_NS
            if not dry_run:
                _orphans(directory, policy, now_ns, found.gone)
                if told.removed:
                    _remove(directory, found.gone)
                else:
                    told.report = report_anew(directory, found.touches)
                told.bytes = max(0, before - _bytes_of(directory)) + found.gone.bytes
            told.pictures, told.vectors = found.gone.pictures, found.gone.vectors
            told.not_followed = sorted(found.gone.refused)
    except GoesOn:
        told.goes_on = True
    except (OSError, FacestreamError) as error:
        told.error = str(error)
    return told


def _rule(policy: Policy) -> Keep:
    return Keep.of(
        pictures_days=policy.pictures_days,
        vectors_days=policy.vectors_days,
        records_days=policy.records_days,
        strangers_days=policy.strangers_days,
    )


def _ended_ns(directory: Path, judge: TooOld) -> int:
    """Return when a run last said anything."""
    run = recorded(directory)
    touched = max((path.lstat().st_mtime_ns for path in directory.iterdir()), default=0)
    times = [_believed(run[key], touched) for key in ("started_ns", "ended_ns") if key in run]
    return max([judge.newest_ns, *times]) or touched


def _orphans(directory: Path, policy: Policy, now_ns: int, gone: Destroyed) -> None:
    """Delete pictures that are too old and that no line names."""
    days = min(filter(None, (policy.pictures_days, policy.records_days, policy.strangers_days)), default=0.0)
    if days:
        remove_orphans(directory, now_ns - days * _DAY_NS, gone)


def _remove(directory: Path, gone: Destroyed) -> None:
    """Delete all that a run wrote, and its directory where nothing else is in it."""
    faces = directory / FACES
    if faces.is_dir() and not faces.is_symlink():
        gone.pictures += sum(len(names) for _, _, names in os.walk(faces))
        shutil.rmtree(faces)
    with Folder(directory) as folder:
        own = [RUN, REPORT, PROGRESS, CHAIN, CORRECTIONS, *LINES, *(path.name for path in vector_files(directory))]
        for name in own:
            folder.remove(name, Destroyed())
    if not any(directory.iterdir()):
        directory.rmdir()


def _believed(time_ns: Any, changed_ns: int) -> int:
    """Return when something was written; where that is not said, or a clock was wrong and it lies behind the file's own time of
    change, that one."""
    return time_ns if isinstance(time_ns, int) and 0 < time_ns <= changed_ns + _DAY_NS else changed_ns


def _bytes_of(directory: Path) -> int:
    if not directory.is_dir():
        return 0
    return sum(path.lstat().st_size for path in directory.iterdir() if path.is_file() and path.suffix != ".f32")


def _less(record: Record, key: str, goes: Any) -> Record:
    """Return a record without its pictures or its vector, the same object where it has none."""
    if key not in record:
        return record
    left = {name: value for name, value in record.items() if name != key}
    parts = record.get("parts")
    if isinstance(parts, list):
        left["parts"] = [part for part in parts if not (isinstance(part, dict) and goes(part.get("name")))]
    return left
