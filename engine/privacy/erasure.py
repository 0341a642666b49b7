"""Erases one person: from a gallery, from the output of runs, from the audit log; and says what went, in a receipt."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine.archive.chain_cuts import cutting, has_chain
from engine.archive.files import FACES, whole_lines
from engine.archive.reader import as_written
from engine.archive.record_check import RECORDS
from engine.audit import AuditLog
from engine.contracts.manifest import sha256_of
from engine.errors import FacestreamError, PublishError, UsageError
from engine.keys.signing import SigningKey
from engine.privacy.beside import files_beside, forgotten, mentions_in
from engine.privacy.cutting import Cut, Record, Rewritten, cut
from engine.privacy.folder import Folder
from engine.privacy.look_alikes import look_alikes
from engine.privacy.mentions import Mentions, without_candidates
from engine.privacy.person import OfPerson
from engine.privacy.receipt import Erasure, GalleryErased, RunErased
from engine.privacy.runs import REPORT, RUN, GoesOn, links_below, nobody_writes, not_of_the_run, report_anew, runs_below
from engine.privacy.said import Key, forget_person
from engine.verify.gallery.opening import Where, gallery_file, gallery_words, is_there, open_gallery
from engine.whole_file import write_whole

_NOT_OURS = frozenset(["inputs", "streams", "config", "counters"])
"""Keys of ``run.json`` whose texts are the user's: what they called a file or a stream stays."""


def erase(
    names: Sequence[str],
    *,
    gallery: Where | None = None,
    outputs: Sequence[Path] = (),
    audit: AuditLog | None = None,
    who: str = "",
    likely: bool = False,
    dry_run: bool = False,
    key: SigningKey | None = None,
) -> Erasure:
    """Erase a person wherever it is said; what cannot be done now is in the receipt, and doing it all again finishes it.

    Args:
        names: of the person, first the present one, then earlier ones; compared by their spelling.
        gallery: see ``gallery_file``; None: no gallery.
        outputs: output directories of runs, or folders of them, as a service's. One that a run writes to now is left as it
            is, with an ``error``. The audit log of a service is one more log.
        audit: is told of it, and then forgets the person; None: no log.
        who: erases, for the log and the chains of the runs.
        likely: also tracks that were not decided, and had this person as their first candidate.
        dry_run: change nothing, only count.
        key: signs what the chains of the runs are told; None: it is not signed.

    Raises:
        UsageError: no name, or an output that is not a directory.
        GalleryError, AuditError: the gallery or the log cannot be read or written; runs are then as they were.
    """
    person = Mentions(names)
    if not person.names:
        raise UsageError("the name of the person to erase is empty: give it as `facestream gallery list` shows it")
    directories = [directory for output in outputs for directory in runs_below(output)]
    receipt = Erasure(at=datetime.now(UTC).isoformat(timespec="seconds"), dry_run=dry_run)
    receipt.not_followed = [str(link) for output in outputs for link in links_below(output)]
    sources = {directory: _Sources.of(directory, person, likely) for directory in dict.fromkeys(directories)}
    alike = look_alikes(list(sources), person, [(path, key) for path, one in sources.items() for key in one.tracks])
    if gallery is not None:
        receipt.gallery = _from_gallery(gallery, person, [name for one in sources.values() for name in one.names], dry_run)
    if audit is not None:
        _from_audit(audit, receipt, person, who)
    outside = files_beside(outputs, directories)
    receipt.service_logs = forgotten(outside, audit.path if audit else None, person, who, dry_run)
    told = _Told(who, key)
    receipt.runs = [_from_run(directory, person, likely, dry_run, known, told) for directory, known in sources.items()]
    for run in receipt.runs:
        run.look_alikes = alike.get(Path(run.directory), [])
    if not dry_run:
        receipt.mentions = mentions_in(outside, person)
    return receipt


@dataclass(frozen=True)
class _Sources:
    """What a gallery calls the person's tracks in a run as the source of vectors. Only the records tell it: it is asked for
    before any of them goes."""

    names: frozenset[str]
    tracks: frozenset[Key] = frozenset()
    error: str = ""
    """Why it cannot be told now."""

    @classmethod
    def of(cls, directory: Path, person: Mentions, likely: bool) -> _Sources:
        try:
            theirs = OfPerson(directory, person, likely)
            return cls(_named(directory, theirs), frozenset(theirs.tracks))
        except (OSError, FacestreamError) as error:
            return cls(frozenset(), error=str(error))


def _named(directory: Path, theirs: OfPerson) -> frozenset[str]:
    return frozenset(f"{directory.name}/{stream}/{track_id}" for stream, track_id in theirs.tracks)


def _from_gallery(where: Where, person: Mentions, sources: Sequence[str], dry_run: bool) -> GalleryErased:
    erased, file = GalleryErased(file=gallery_words(where)), gallery_file(where)
    if not is_there(where):
        return erased
    if file:
        open_gallery(where, read_only=True).close()  # what is none is not read: a pipe would never end
    erased.sha256_before = sha256_of(file) if file else ""
    with open_gallery(where, read_only=dry_run) as opened:
        there = sum(one.pictures for one in opened.list() if one.name in person.names)
        there += sum(one.identity in person.names for one in opened.quarantined())
        others = opened.forget_faces_of(person.names, sources, dry_run)
        if not dry_run:
            for name in person.names:
                opened.remove(name)
    erased.pictures, erased.negatives = there + others.apart, others.negatives
    if file:
        erased.sha256_after, erased.still_in = sha256_of(file), [] if dry_run else _log_in_use(file)
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


@dataclass(frozen=True)
class _Told:
    """What the chains are told."""

    who: str
    key: SigningKey | None


def _from_run(directory: Path, person: Mentions, likely: bool, dry_run: bool, known: _Sources, told_as: _Told) -> RunErased:
    """Erase the person from a run, but for tracks that the gallery was not told of."""
    told = RunErased(directory=str(directory), error=known.error)
    if known.error:
        return told
    try:
        with nobody_writes(directory):
            theirs = OfPerson(directory, person, likely)
            if _named(directory, theirs) - known.names:
                raise GoesOn(f"{directory} has grown meanwhile: nothing in it was changed; do it again")
            found = _cut(directory, theirs, person, told, told_as) if not dry_run else cut(directory, theirs, dry_run=True)
            _tell(told, found)
            told.unknown = not_of_the_run(directory)
            if dry_run:
                told.files += forget_person(directory, person, dry_run=True)
            else:
                stale = found.touches or _stands_in_report(directory, person)
                told.report = report_anew(directory, stale)
                told.mentions = sorted(_mentions(directory, person))
    except (OSError, FacestreamError) as error:
        told.error = str(error)
    return told


def _cut(directory: Path, theirs: OfPerson, person: Mentions, told: RunErased, told_as: _Told) -> Cut:
    """Take the person out, and let the chain know; one of a run that has nothing of the person is left as it is."""
    said_nothing = not forget_person(directory, person, dry_run=True) and _cleaned(directory, person) is None
    if has_chain(directory) and said_nothing and not cut(directory, theirs, dry_run=True).touches:
        return cut(directory, theirs)  # what a kill has left of an earlier one goes
    with cutting(directory, "erase", told_as.who, told_as.key) as doing:
        found = cut(directory, theirs)
        found.files += forget_person(directory, person)
        found.files += _clean_record(directory, person)
    if doing is not None and doing.chain.last is not None:
        told.block, told.head, told.breaks_off = doing.block, doing.chain.last.hash, doing.breaks_off
    return found


def _tell(told: RunErased, found: Cut) -> None:
    told.tracks, told.faces, told.changed_lines = found.tracks, found.faces, found.changed
    told.unreadable_lines, told.files = found.unreadable, list(found.files)
    told.pictures, told.vectors = found.gone.pictures, found.gone.vectors
    told.not_followed, told.linked = sorted(found.gone.refused), sorted(found.gone.linked)


def _clean_record(directory: Path, person: Mentions) -> list[Rewritten]:
    """Take the name out of what the engine itself said in ``run.json``."""
    if (clean := _cleaned(directory, person)) is None:
        return []
    path = directory / RUN
    before, size = sha256_of(path), path.stat().st_size
    write_whole(path, msgspec.json.format(msgspec.json.encode(clean), indent=2) + b"\n")
    return [Rewritten(RUN, size, path.stat().st_size, before, sha256_of(path))]


def _cleaned(directory: Path, person: Mentions) -> Record | None:
    """Return ``run.json`` without the name; None: it is not in it."""
    with Folder(directory) as folder:
        if not folder.is_file(RUN):
            return None
    try:
        run = as_written(directory)
    except PublishError:
        return None
    clean = {key: value if key in _NOT_OURS else person.hide(value) for key, value in run.items()}
    return None if clean == run else clean


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
