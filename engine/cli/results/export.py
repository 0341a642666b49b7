"""``facestream export``: a finished run for other programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from engine.cli.output.long_work import check_place
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.saying import say
from engine.client.results import Run, load_run
from engine.errors import PublishError, UsageError
from engine.results.export import Form, Rows, check_form, export_vectors, keys_of, vectors_astray
from engine.results.export import export as export_table
from engine.results.tracks_of import places_read
from engine.whole_file import replacing
from engine.words.numbers import count


def export(
    result: Annotated[Path, Parameter(help="Output directory of a run.")],
    /,
    *,
    to: Annotated[Form | None, Parameter(help="csv, jsonl, or parquet (extra `parquet`).")] = None,
    tracks: Annotated[bool, Parameter(negative=(), help="The last message of each track; the default.")] = False,
    faces: Annotated[bool, Parameter(negative=(), help="Every face that was written.")] = False,
    interim: Annotated[bool, Parameter(negative=(), help="The messages of each track before its last one.")] = False,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="The file; standard output by default.")] = None,
    vectors: Annotated[
        Path | None, Parameter(help="Their vectors as a NumPy array, .npy, with NAME.keys.csv beside it.")
    ] = None,
    overwrite: OverwriteOption = False,
) -> int:
    """Write the tracks, the faces or the vectors of a finished run for other
    programs.

    A row is the last message of a track, unless you ask for --faces or --interim.
    `name` is empty if nobody was recognised; `best_identity` is the closest
    person even then, `candidates` holds all of them as JSON. Paths are relative to
    the run's directory.

    In CSV, text that a spreadsheet would take for a formula begins with an
    apostrophe. CSV has only meaningful digits, the others have all. Row n of the
    array of vectors is row n of the table beside it: stream and track, and for a
    face its number.

    For example:

        facestream export result --to csv --out tracks.csv

        facestream export result --to jsonl --faces | jq .quality.score

        facestream export result --to parquet --faces --out faces.parquet

        facestream export result --vectors tracks.npy
    """
    asked: dict[Rows, bool] = {"tracks": tracks, "faces": faces, "interim": interim}
    chosen: list[Rows] = [one for one, wanted in asked.items() if wanted]
    if len(chosen) > 1:
        raise UsageError("--tracks, --faces and --interim: give one of them")
    if to is None and vectors is None:
        raise UsageError("say what to write: --to csv, parquet or jsonl, or --vectors FILE.npy")
    if to is None and out is not None:
        raise UsageError("--out goes with --to; vectors go to the file that --vectors names")
    rows: Rows = chosen[0] if chosen else "tracks"
    check_outside_runs(out, vectors)
    run = load_run(result)
    if vectors is not None:
        _check_vectors(run, vectors, out, overwrite=overwrite)
    if to is not None:
        _table(run, rows, to, out, overwrite=overwrite)
    return 0 if vectors is None else _vectors(run, rows, vectors)


def _check_vectors(run: Run, vectors: Path, out: Path | None, *, overwrite: bool) -> None:
    """Refuse a place of vectors before anything is written."""
    if vectors.suffix != ".npy":
        raise UsageError(f"{vectors} must end with .npy, as files of vectors do")
    for path in (vectors, keys_of(vectors)):
        check_place(path, overwrite=overwrite, read=places_read(run))
        if out is not None and os.path.realpath(out) == os.path.realpath(path):
            raise UsageError(f"--out {out} is what --vectors {vectors} writes, too: give another name")


def _vectors(run: Run, rows: Rows, vectors: Path) -> int:
    """Write vectors, and say what was written; return the exit code."""
    written = export_vectors(run, rows, vectors)
    for path, number, length in written:
        say(f"{path}: {count(number, 'vector')} of {length} numbers, whose they are in {keys_of(path)}", aside=True)
    if astray := vectors_astray(run, rows):
        say(f"left out: {count(astray, 'vector')}: the lines point to rows that do not exist", aside=True)
    if not written:
        say(f"{run.directory} has no vectors of {rows}: nothing was written to {vectors}", aside=True)
    return 0 if written else 1


def _table(run: Run, rows: Rows, to: Form, out: Path | None, *, overwrite: bool) -> None:
    check_form(to)
    if out is None:
        if to == "parquet":
            raise UsageError("parquet needs --out FILE")
        export_table(run, rows, to, sys.stdout.buffer)
        return
    check_place(out, overwrite=overwrite, read=places_read(run))
    try:
        with replacing(out, new=not overwrite) as beside, beside.open("wb") as file:
            number = export_table(run, rows, to, file)
    except OSError as error:
        raise PublishError(f"cannot write {out}: {error.strerror}") from error
    say(f"{out}: {count(number, 'row')}", aside=True)
