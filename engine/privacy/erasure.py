"""Erases one person: from a gallery, from the output of runs, from the audit log; and says what went, in a receipt."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine import __version__
from engine.archive.files import FACES, whole_lines, write_whole
from engine.archive.reader import recorded
from engine.archive.record_check import RECORDS
from engine.audit import AuditLog
from engine.errors import FacestreamError, UsageError
from engine.privacy.beside import LogErased, files_beside, forgotten, mentions_in
from engine.privacy.cutting import Cut, Rewritten, cut
from engine.privacy.folder import Folder
from engine.privacy.mentions import Mentions, without_candidates
from engine.privacy.person import OfPerson
from engine.privacy.runs import REPORT, RUN, GoesOn, Report, links_below, nobody_writes, report_anew, runs_below
from engine.privacy.said import forget_person
from engine.verify.gallery import Gallery

_NOT_OURS = frozenset(["inputs", "streams", "config", "counters"])
"""Keys of ``run.json`` whose texts are the user's: what they called a file or a stream stays."""


class GalleryErased(msgspec.Struct, kw_only=True):
    """What went from a gallery."""

    file: str
    pictures: int = 0
    """Enrolled, or set apart; also those that were set apart for somebody else because they look like this person."""
    negatives: int = 0
    """Faces that were kept as not of somebody else, and were or may be of this person."""
    sha256_before: str = ""
    sha256_after: str = ""
    still_in: list[str] = []
    """The gallery's log, where somebody reads the gallery at this moment and so still needs what was there: do it again."""


class RunErased(msgspec.Struct, kw_only=True):
    """What went from one output directory."""

    directory: str
    tracks: int = 0
    faces: int = 0
    changed_lines: int = 0
    """Of other people, who no longer have this one as a candidate."""
    unreadable_lines: int = 0
    pictures: int = 0
    vectors: int = 0
    files: list[Rewritten] = []
    report: Report = ""
    not_followed: list[str] = []
    """Symbolic links, and names that lead out of the directory: where they lead nothing was touched."""
    linked: list[str] = []
    """Files that have another hard link somewhere."""
    mentions: list[str] = []
    """Files in which the name still stands, as that of a stream, a recording, or somebody else: look yourself."""
    error: str = ""
    """Why it was not done, or not wholly; empty: it was."""


class Erasure(msgspec.Struct, kw_only=True):
    """The receipt. The name is not in it."""

    format: str = "facestream/erasure/1"
    version: str = __version__
    at: str = ""
    dry_run: bool = False
    gallery: GalleryErased | None = None
    runs: list[RunErased] = []
    audit_line: int | None = None
    """Number of the line in the audit log that says that somebody was erased."""
    audit_names: int = 0
    """Names that the audit log has forgotten."""
    service_logs: list[LogErased] = []
    """Audit logs of services whose directories, or runs, were named."""
    mentions: list[str] = []
    """Files of the named folders, outside of runs, in which the name still stands."""
    not_followed: list[str] = []
    """Links to directories in the named folders, outside of runs: name what they lead to, if there are runs."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing has to be done again."""
        failed = any(run.error for run in self.runs) or any(log.error for log in self.service_logs)
        return not failed and not self.mentions and not self.not_followed and not (self.gallery and self.gallery.still_in)

    @property
    def found(self) -> bool:
        """Whether there was anything of this person."""
        in_gallery = self.gallery is not None and self.gallery.pictures + self.gallery.negatives > 0
        in_logs = self.audit_names > 0 or any(log.names for log in self.service_logs)
        return in_gallery or in_logs or bool(self.mentions) or any(_is_changed(run) for run in self.runs)


def erase(
    names: Sequence[str],
    *,
    gallery: Path | None = None,
    outputs: Sequence[Path] = (),
    audit: AuditLog | None = None,
    who: str = "",
    likely: bool = False,
    dry_run: bool = False,
) -> Erasure:
    """Erase a person wherever it is said; what cannot be done now is in the receipt, and doing it all again finishes it.

    Args:
        names: of the person, first the present one, then earlier ones; compared by their spelling.
        gallery: the file; None: no gallery.
        outputs: output directories of runs, or folders of them, as a service's. One that a run writes to now is left as it
            is, with an ``error``. The audit log of a service is one more log.
        audit: is told of it, and then forgets the person; None: no log.
        who: erases, for the log.
        likely: also tracks that were not decided, and had this person as their first candidate.
        dry_run: change nothing, only count.

    Raises:
        UsageError: no name, or an output that is no directory.
        GalleryError, AuditError: the gallery or the log cannot be read or written; runs are then as they were.
    """
    person = Mentions(names)
    if not person.names:
        raise UsageError("the name of the person to erase is empty: give it as `facestream gallery list` shows it")
    directories = [directory for output in outputs for directory in runs_below(output)]
    receipt = Erasure(at=datetime.now(UTC).isoformat(timespec="seconds"), dry_run=dry_run)
    receipt.not_followed = [str(link) for output in outputs for link in links_below(output)]
    sources = {directory: _Sources.of(directory, person, likely) for directory in dict.fromkeys(directories)}
    if gallery is not None:
        receipt.gallery = _from_gallery(gallery, person, [name for one in sources.values() for name in one.names], dry_run)
    if audit is not None:
        _from_audit(audit, receipt, person, who)
    outside = files_beside(outputs, directories)
    receipt.service_logs = forgotten(outside, audit.path if audit else None, person, who, dry_run)
    receipt.runs = [_from_run(directory, person, likely, dry_run, known) for directory, known in sources.items()]
    if not dry_run:
        receipt.mentions = mentions_in(outside, person)
    return receipt


@dataclass(frozen=True)
class _Sources:
    """What a gallery calls the person's tracks in a run as the source of vectors. Only the records tell it: it is asked for
    before any of them goes."""

    names: frozenset[str]
    error: str = ""
    """Why it cannot be told now."""

    @classmethod
    def of(cls, directory: Path, person: Mentions, likely: bool) -> _Sources:
        try:
            return cls(_named(directory, OfPerson(directory, person, likely)))
        except (OSError, FacestreamError) as error:
            return cls(frozenset(), str(error))


def _named(directory: Path, theirs: OfPerson) -> frozenset[str]:
    return frozenset(f"{directory.name}/{stream}/{track_id}" for stream, track_id in theirs.tracks)


def _from_gallery(path: Path, person: Mentions, sources: Sequence[str], dry_run: bool) -> GalleryErased:
    if not path.exists():
        return GalleryErased(file=str(path))
    before = _sha256(path)
    with Gallery(path, read_only=dry_run) as opened:
        there = sum(one.pictures for one in opened.list() if one.name in person.names)
        there += sum(one.identity in person.names for one in opened.quarantined())
        others = opened.forget_faces_of(person.names, sources, dry_run)
        if not dry_run:
            for name in person.names:
                opened.remove(name)
    erased = GalleryErased(file=str(path), sha256_before=before, sha256_after=_sha256(path))
    erased.pictures, erased.negatives = there + others.apart, others.negatives
    erased.still_in = [] if dry_run else _log_in_use(path)
    return erased


def _log_in_use(path: Path) -> list[str]:
    log = path.with_name(f"{path.name}-wal")
    return [log.name] if log.is_file() and log.stat().st_size else []


def _from_audit(audit: AuditLog, receipt: Erasure, person: Mentions, who: str) -> None:
    known = [name for name in audit.names().values() if person.is_name(name)] if audit.path.exists() else []
    if receipt.dry_run:
        receipt.audit_names = len(known)
        return
    receipt.audit_line = audit.record(who or "unknown", "erase", people=known or person.names[:1]).number
    audit.forget(person.is_name)
    receipt.audit_names = len(known)


def _from_run(directory: Path, person: Mentions, likely: bool, dry_run: bool, known: _Sources) -> RunErased:
    """Erase the person from a run, but for tracks that the gallery was not told of."""
    told = RunErased(directory=str(directory), error=known.error)
    if known.error:
        return told
    try:
        with nobody_writes(directory):
            theirs = OfPerson(directory, person, likely)
            if _named(directory, theirs) - known.names:
                raise GoesOn(f"{directory} has grown meanwhile: nothing in it was changed; do it again")
            found = cut(directory, theirs, dry_run=dry_run)
            _tell(told, found)
            told.files += forget_person(directory, person, dry_run=dry_run)
            if not dry_run:
                told.files += _clean_record(directory, person)
                stale = found.touches or _stands_in_report(directory, person)
                told.report = report_anew(directory, stale)
                told.mentions = sorted(_mentions(directory, person))
    except (OSError, FacestreamError) as error:
        told.error = str(error)
    return told


def _tell(told: RunErased, found: Cut) -> None:
    told.tracks, told.faces, told.changed_lines = found.tracks, found.faces, found.changed
    told.unreadable_lines, told.files = found.unreadable, list(found.files)
    told.pictures, told.vectors = found.gone.pictures, found.gone.vectors
    told.not_followed, told.linked = sorted(found.gone.refused), sorted(found.gone.linked)


def _clean_record(directory: Path, person: Mentions) -> list[Rewritten]:
    """Take the name out of what the engine itself said in ``run.json``."""
    with Folder(directory) as folder:
        if not folder.is_file(RUN):
            return []
    run = recorded(directory)
    clean = {key: value if key in _NOT_OURS else person.hide(value) for key, value in run.items()}
    if clean == run:
        return []
    path = directory / RUN
    before, size = _sha256(path), path.stat().st_size
    write_whole(path, msgspec.json.format(msgspec.json.encode(clean), indent=2) + b"\n")
    return [Rewritten(RUN, size, path.stat().st_size, before, _sha256(path))]


def _stands_in_report(directory: Path, person: Mentions) -> bool:
    path = directory / REPORT
    return path.is_file() and not path.is_symlink() and person.found_in_file(path)


def _mentions(directory: Path, person: Mentions) -> set[str]:
    """Return the files in which, or in whose names, a name still stands; pictures and vectors hold none, and are not read."""
    found = set()
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder) / name
            inside = path.relative_to(directory).as_posix()
            if person.found_in(os.fsencode(inside)) or _stands_in(path, inside, person):
                found.add(inside)
    return found


def _stands_in(path: Path, inside: str, person: Mentions) -> bool:
    if path.is_symlink():
        return person.found_in(os.fsencode(os.readlink(path)))
    if not path.is_file() or inside == REPORT or inside.startswith(f"{FACES}/") or path.suffix == ".f32":
        return False  # the report has been made again from the records
    if inside in RECORDS:
        return any(person.found_in(without_candidates(line)) for line in whole_lines(path))
    return person.found_in_file(path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_changed(run: RunErased) -> bool:
    return bool(run.tracks or run.faces or run.changed_lines or run.unreadable_lines or run.files)
