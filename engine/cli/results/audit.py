"""``facestream audit``: is a result as it was written? Who did what, and is the log of that whole?"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import Console

from engine.audit import AuditLog, Entry, default_log, read_entries
from engine.audit import verify as verify_chain
from engine.audit.people import called, shown
from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.cli.output.share_bar import share_bar
from engine.cli.output.tables import Column, Rows
from engine.errors import AuditError
from engine.exhibit.status import status_of
from engine.exhibit.verdict import Verdict
from engine.exhibit.verify import verify as verify_run
from engine.keys.signing import public_key as read_public_key
from engine.words.numbers import count
from engine.words.times import to_the_second

LogOption = Annotated[Path | None, Parameter(name="--log", help="The file; the user's own by default.")]

_MOST_FAULTS = 20

audit_app = App(
    name="audit",
    help_epilogue="",
    help_format="plaintext",
)


@audit_app.default
def audit(
    directory: Annotated[Path | None, Parameter(help="The output directory of a run.")] = None,
    /,
    *,
    public_key: Annotated[
        list[Path] | None,
        Parameter(negative=(), help="A .pub file of `facestream keys sign new`: every block must be signed by it. Repeatable."),
    ] = None,
    holds: Annotated[str, Parameter(help="A SHA-256 from an earlier audit: the chain must still have that block.")] = "",
    json: JsonOption = False,
) -> int:
    """Compare a result with its hash chain: was anything changed since it was written?

    Exit code 1: something was changed, removed or added. What retention or an
    erasure has deleted is listed, and is not a fault. Anybody who can write to the
    directory can make another whole chain: sign it with `facestream run --sign`,
    or keep the SHA-256 that this prints elsewhere, and check it with --holds.

    For example:

        facestream audit result

        facestream audit result --public-key desk.pub

        facestream audit result --json | jq .faults
    """
    if directory is None:
        audit_app.help_print([])
        return 0
    keys = [read_public_key(path.expanduser()) for path in public_key or ()]
    with share_bar(f"reading {directory}", quiet=json) as progress:
        found = verify_run(directory, keys, holds, progress)
    if json:
        told = {"whole": found.is_whole} | dataclasses.asdict(found)
        write_lines([told])
        return int(not found.is_whole)
    _say_run(found, holds)
    return int(not found.is_whole)


def _say_run(found: Verdict, holds: str) -> None:
    """Print what is known, the verdict last.

    Args:
        found: all of it; of a hash that is gone there is a fault.
        holds: the hash that was asked for; empty: none.
    """
    for sentence in found.notes:
        say(f"note: {sentence}")
    for fault in found.faults[:_MOST_FAULTS]:
        say(f"BROKEN: {fault.sentence}")
    if len(found.faults) > _MOST_FAULTS:
        say(f"and {len(found.faults) - _MOST_FAULTS} more: see --json")
    if found.went:
        say(f"{count(found.went, 'picture was', 'pictures were')} deleted by retention, as the run's settings ask")
    if not found.signatures_checked:
        say("the signatures were not checked: pip install 'facestream[exhibit]'")
    if found.head:
        pictures = count(found.pictures, "picture", "pictures")
        say(f"as written: {count(found.pieces, 'line or vector', 'lines and vectors')}, {pictures}")
        say(f"the last of {count(found.blocks, 'block', 'blocks')} has the SHA-256 {found.head}")
    if holds and found.head and not any(holds.lower() in fault.what for fault in found.faults):
        say(f"the chain still has the block {holds.lower()}")
    say(f"{found.directory} is {status_of(found).sentence}")


@audit_app.command
def verify(
    *,
    log: LogOption = None,
    holds: Annotated[str, Parameter(help="A SHA-256 from an earlier `verify`: the log must still have that line.")] = "",
    json: JsonOption = False,
) -> int:
    """Check the audit log, who did what here.

    Exit code 1: a line was changed, removed, added or moved, or is missing.

    Keep the SHA-256 that it prints somewhere else: with --holds it shows that the log is
    still the same one.

    For example:

        facestream audit verify

        facestream audit verify --log /var/lib/facestream/audit.jsonl --holds 5d41…
    """
    path = log or default_log()
    found = verify_chain(path, holds)
    if json:
        told = {"log": str(path), "whole": not found.faults, "lines": found.lines, "sha256": found.sha256}
        write_lines([told | {"faults": found.faults, "notes": found.notes}])
        return int(bool(found.faults))
    for sentence in found.notes:
        say(f"note: {sentence}")
    for sentence in found.faults:
        say(f"FAULT: {sentence}")
    state = "is not whole" if found.faults else "is whole"
    say(f"{path} {state}: {count(found.lines, 'line')}, the last has the SHA-256 {found.sha256}")
    return int(bool(found.faults))


@audit_app.command
def show(
    *,
    log: LogOption = None,
    last: Annotated[int, Parameter(help="How many of the newest lines; 0: all.")] = 50,
    json: JsonOption = False,
) -> int:
    """Print the audit log, who did what here. To check that no line is missing, use `audit verify`.

    For example:

        facestream audit show --last 10

        facestream audit show --last 0 --json | jq 'select(.did == "enrol")'
    """
    path = log or default_log()
    try:
        entries = list(read_entries(path))
    except OSError as error:
        raise AuditError(f"cannot read the audit log {path}: {error.strerror}") from error
    names = AuditLog(path).names()
    chosen = entries[-last:] if last > 0 else entries
    if json:
        for entry in chosen:
            told = msgspec.to_builtins(entry) | {"people": [called(one, names) for one in entry.people]}
            write_lines([told | {"detail": shown(entry.detail, names)}])
        return 0
    Console().print(_table(chosen, names))
    say(f"{len(chosen)} of {count(len(entries), 'line')} in {path}")
    return 0


def _table(entries: list[Entry], names: dict[str, str]) -> Rows:
    columns = [Column("at (UTC)", "word"), *map(Column, ("who", "did", "on", "outcome")), Column("detail", "sentence")]
    return Rows(columns, [_row(entry, names) for entry in entries])


def _row(entry: Entry, names: dict[str, str]) -> list[str]:
    on = ", ".join(filter(None, (entry.on, *(called(one, names) for one in entry.people))))
    cells = (to_the_second(entry.at), entry.who, entry.did, on, entry.outcome, shown(entry.detail, names))
    return list(map(plain, cells))
