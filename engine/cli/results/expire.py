"""``facestream expire``: deletes what finished runs have written, once it is old enough."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from engine.cli.output.json_lines import write_lines
from engine.cli.output.saying import say
from engine.cli.run.words import printable
from engine.keys.signing import signing_key
from engine.privacy import Expired, Policy
from engine.privacy import expire as expire_runs
from engine.privacy.runs import links_below
from engine.words.numbers import count

Days = Annotated[float, Parameter(negative="")]


def expire(
    directories: Annotated[tuple[Path, ...], Parameter(negative="")],
    /,
    *,
    pictures_days: Days = 0.0,
    vectors_days: Days = 0.0,
    records_days: Days = 0.0,
    strangers_days: Days = 0.0,
    sign: Path | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> int:
    """Delete what finished runs have kept for too long, by kind of data.

    Age counts from when the data was written. A run that is going on is left alone: it deletes
    by itself what `output.keep_pictures_days` and the like say. It is an error to give no number
    of days, as nothing would be deleted.

    For example:

        facestream expire /var/lib/facestream/runs --pictures-days 7 --vectors-days 30 --records-days 180

        facestream expire result --strangers-days 1 --dry-run

    Parameters
    ----------
    directories
        Output directories of runs, or folders of them.
    pictures_days
        Delete pictures after this many days, such as 7 or 0.5; 0 keeps them for ever; likewise below.
    vectors_days
        Vectors, which can identify a person.
    records_days
        Lines of faces, tracks and streams, with everything they name; finally the whole run.
    strangers_days
        Whole tracks of people who were not recognised.
    sign
        The key that the runs were signed with, to vouch in their hash chains for what is deleted.
    dry_run
        Change nothing, only say what would be deleted.
    json
        Print one line of JSON for each run, and nothing else.
    """
    policy = Policy(
        pictures_days=pictures_days, vectors_days=vectors_days, records_days=records_days, strangers_days=strangers_days
    )
    key = signing_key(sign.expanduser()) if sign else None
    done = [one for directory in directories for one in expire_runs(directory, policy, dry_run=dry_run, key=key)]
    for one in done:
        if json:
            write_lines([one])
        else:
            say(_sentence(one, "would go" if dry_run else "went"))
    for link in (link for directory in directories for link in links_below(directory)):
        sys.stderr.write(f"facestream: {printable(str(link))} is a link, which is not followed: name what it leads to\n")
    if not json:
        say(count(len(done), "run"))
    return int(any(one.error for one in done))


def _sentence(one: Expired, went: str) -> str:
    if one.goes_on:
        return f"{one.directory}: a run goes on there, left as it is"
    if one.error:
        return f"{one.directory}: NOT DONE: {one.error}"
    of = {"track": one.tracks, "face": one.faces, "picture": one.pictures, "vector": one.vectors}
    counts = f"{', '.join(count(number, what) for what, number in of.items())} {went}"
    return f"{one.directory}: {counts}" + (", and the run with them" if one.removed else "")
