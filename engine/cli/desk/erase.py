"""``facestream erase``: take one person out of everything that was kept."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from engine.audit import AuditLog, default_log
from engine.cli.desk.who import user_name
from engine.cli.gallery.option import USERS_OWN, GalleryOption
from engine.cli.output.json_lines import as_json
from engine.cli.output.saying import say
from engine.errors import FacestreamError, UsageError
from engine.keys.signing import signing_key
from engine.privacy import Erasure
from engine.privacy import erase as erase_person
from engine.privacy.mentions import Mentions
from engine.privacy.receipt import RunErased
from engine.verify.gallery.opening import gallery_words, is_there, open_gallery
from engine.verify.gallery.person_name import alike, person_name
from engine.whole_file import write_whole
from engine.words.lists import first_of
from engine.words.numbers import count

_Paths = Annotated[tuple[Path, ...], Parameter(consume_multiple=True, negative="")]


def erase(
    name: str,
    /,
    *,
    formerly: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    gallery: GalleryOption = USERS_OWN,
    output: _Paths = (),
    audit: Path | None = None,
    likely: bool = False,
    receipt: Path | None = None,
    name_in_receipt: bool = False,
    sign: Path | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> int:
    """Erase a person from the gallery, from the output of runs and from the audit log, and write a receipt.

    This deletes from output the tracks that were decided to be this person, with pictures and
    vectors, and the name among the candidates of others. For a service give its directory, or
    `runs` in it: its own audit log forgets the person too. A directory that a run is writing to
    is left as it is, and a file outside of runs that still has the name is left to you; both are
    reported (exit code 1). Backups, exports and what subscribers received are not reached.

    For example:

        facestream erase "Ada Lovelace" --output result --dry-run

        facestream erase "Ada Lovelace" --output result /var/lib/facestream/runs

        facestream erase "Ada Lovelace" --formerly visitor-7 --gallery entrance.sqlite --output result

    Parameters
    ----------
    name
        As `gallery list` shows it.
    formerly
        Earlier names of the person, such as those before `gallery rename`.
    output
        Output directories of runs, or folders of them.
    audit
        The audit log; the user's own by default.
    likely
        Also undecided tracks that had this person as their first candidate.
    receipt
        The receipt's file; erasure-TIME.json by default. The name is not in it.
    name_in_receipt
        Put the name into the receipt.
    sign
        The key that the runs were signed with, to vouch in their hash chains for what is deleted.
    dry_run
        Change nothing and write nothing, only say what would be deleted.
    json
        Print the receipt, and nothing else.
    """
    names = (person_name(name), *map(person_name, formerly))
    file = receipt or Path(f"erasure-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json")
    if not dry_run:
        _check_receipt(file)
    if gallery.where and not is_there(gallery):
        raise UsageError(f"there is no gallery {gallery_words(gallery)}, so nobody would be removed from it: check the path")
    done = erase_person(
        names,
        gallery=gallery,
        outputs=output,
        audit=AuditLog(audit or default_log()),
        who=user_name(),
        likely=likely,
        dry_run=dry_run,
        key=signing_key(sign.expanduser()) if sign else None,
    )
    told = msgspec.to_builtins(done)
    told = told | {"names": names} if name_in_receipt else _without(told, names)
    text = msgspec.json.format(as_json(told), indent=2) + b"\n"
    if not dry_run:
        try:
            write_whole(file, text, new=True)
        except OSError as error:
            sys.stdout.write(text.decode())
            raise FacestreamError(f"cannot write the receipt {file}: {error.strerror}; it is printed instead") from error
    if json:
        sys.stdout.write(text.decode())
    else:
        _say_all(done, file)
    if not done.found:
        raise FacestreamError(f"nothing of {names[0]!r} was found{_near(names[0], gallery)}")
    return int(not done.is_complete)


def _check_receipt(file: Path) -> None:
    """Refuse what cannot be written while nothing is erased yet: a receipt cannot be made later."""
    try:
        if os.path.lexists(file):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        tempfile.TemporaryFile(dir=file.absolute().parent).close()
    except OSError as error:
        raise UsageError(
            f"cannot write the receipt {file} ({error.strerror}), so nothing was erased: choose another file with --receipt"
        ) from error


def _without(told: dict[str, object], names: tuple[str, ...]) -> dict[str, object]:
    hidden: dict[str, object] = Mentions(names).hide(told)
    return hidden


def _say_all(done: Erasure, file: Path) -> None:
    would = "would go" if done.dry_run else "went"
    if done.gallery is not None:
        others = f"; {count(done.gallery.negatives, 'face')} marked as not of others {would}" if done.gallery.negatives else ""
        say(f"gallery {done.gallery.file}: {count(done.gallery.pictures, 'picture')} {would}{others}")
        if done.gallery.still_in:
            say(f"  it is in use, so the erased data is still in {', '.join(done.gallery.still_in)}: do it again")
    for run in done.runs:
        _say_run(run, would)
    say(f"audit log: {count(done.audit_names, 'name')} {would}")
    for log in done.service_logs:
        say(f"{log.file}: NOT DONE: {log.error}" if log.error else f"{log.file}: {count(log.names, 'name')} {would}")
    for file_with_name in done.mentions:
        say(f"{file_with_name}: NOT DONE: the name still stands in it, so check it yourself{_of_answers(file_with_name)}")
    for link in done.not_followed:
        say(f"{link}: NOT DONE: it is a link, which is not followed: name the directory that it leads to with --output")
    if not done.dry_run:
        say(_summary(done))
        say(f"receipt: {file}")


def _say_run(run: RunErased, would: str) -> None:
    if run.error:
        say(f"{run.directory}: NOT DONE: {run.error}")
        return
    counts = (
        count(run.tracks, "track"),
        count(run.faces, "face"),
        count(run.pictures, "picture"),
        count(run.vectors, "vector"),
    )
    say(f"{run.directory}: {', '.join(counts)} {would}; {count(run.changed_lines, 'line')} of others no longer name them")
    if run.block is not None:
        say(f"  block {run.block} of its hash chain says so: {run.head}")
    if run.breaks_off:
        say("  the run is signed but this block is not, as `facestream audit` will report; --sign KEY signs it")
    for title, files in (
        ("not followed", run.not_followed),
        ("the name still stands in", run.mentions),
        ("not of the run, and left as it is", run.unknown),
        ("looks like them and was shown under the name by `people`; kept, as nobody has confirmed it", run.look_alikes),
    ):
        if files:
            say(f"  {title}: {first_of(files, 5)}")


def _summary(done: Erasure) -> str:
    """Say what holds nothing of the person any more, and what may."""
    if done.is_complete:
        is_yours = any(run.mentions or run.not_followed or run.unknown or run.look_alikes for run in done.runs)
        return "done, except for what is listed above, which is for you to judge" if is_yours else "everything is done"
    left = [(count(sum(bool(run.error) for run in done.runs), "run"), any(run.error for run in done.runs))]
    left += [(count(len(done.mentions), "file") + " outside of runs", bool(done.mentions))]
    left += [(count(len(done.not_followed), "link") + " to folders", bool(done.not_followed))]
    left += [("an audit log", any(log.error for log in done.service_logs))]
    left += [("what the gallery's readers still need", bool(done.gallery and done.gallery.still_in))]
    cleared = sum(not run.error for run in done.runs)
    gone = (["the gallery"] if done.gallery else []) + ["the audit log"] + ([count(cleared, "run")] if cleared else [])
    names = ", ".join(what for what, is_left in left if is_left)
    return f"done: {', '.join(gone)}; NOT DONE, so the name may still be there: {names}"


def _of_answers(file: str) -> str:
    """What a service answered is forgotten a day later, with the next answer."""
    return " (a service keeps its answers there for a day)" if Path(file).name.startswith("desired") else ""


def _near(name: str, gallery: GalleryOption) -> str:
    if not is_there(gallery):
        return ""
    with open_gallery(gallery, read_only=True) as opened:
        near = [person.name for person in opened.list() if alike(person.name, name)]
    return f": did you mean {' or '.join(near)}?" if near else ""
