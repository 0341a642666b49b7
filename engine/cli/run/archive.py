"""``facestream archive``: many recordings, on many machines or on all cores of this one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.saying import say
from engine.cli.run.archive_view import archive_view, bad_words
from engine.cli.run.archive_words import one_line, summary
from engine.config.file import load_config
from engine.errors import UsageError
from engine.jobs.archive import SEGMENT_SECONDS, Asked, retry_job, standing_of, submit_job
from engine.jobs.fetching import fetch_result
from engine.jobs.places import JobAt
from engine.words.text import readable

_ABOUT = """\
Process many recordings on all cores, of one machine or many.

For example:

    facestream archive submit recordings/ --out tapes
    facestream archive submit list.txt --out /shared/tapes --address auto
    facestream archive submit 'cellar/*.mkv' --out tapes --config thorough.yaml
    facestream archive submit s3://footage/2026/ --out s3://results/tapes
    facestream archive fetch s3://results/tapes tapes
    facestream archive status tapes
    facestream archive retry tapes
"""

archive_app = App(name="archive", help=_ABOUT, help_epilogue="", help_format="plaintext")

Out = Annotated[str, Parameter(help="The job's directory, or s3://BUCKET/PREFIX.")]
Work = Annotated[
    Path | None,
    Parameter(help="With --out s3://: working folder, with the same path on each machine; by default in the cache."),
]
Endpoint = Annotated[
    str,
    Parameter(name="--s3-endpoint", help="URL of the object storage; by default AWS_ENDPOINT_URL, or Amazon's."),
]


@archive_app.command
def submit(
    *sources: Annotated[
        str,
        Parameter(
            required=True, help="Recordings, folders, 'globs', s3://BUCKET/PREFIX/, or a list: a .txt file, one per line."
        ),
    ],
    out: Annotated[
        str, Parameter(name=["--out", "-o"], help="Directory for the results, visible to all nodes; or s3://BUCKET/PREFIX.")
    ],
    address: Annotated[
        str,
        Parameter(
            help="local: all cores of this machine; auto: the Ray cluster it belongs to; ray://HOST:10001: that cluster."
        ),
    ] = "local",
    config: Annotated[Path | None, Parameter(help="YAML file with settings, as for `facestream run`.")] = None,
    workers: Annotated[int | None, Parameter(help="Maximum number of workers; by default one per core.")] = None,
    segment_seconds: Annotated[
        float, Parameter(help="Longer recordings are cut into pieces of about this length.")
    ] = SEGMENT_SECONDS,
    work: Work = None,
    s3_endpoint: Endpoint = "",
    overwrite: OverwriteOption = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=(), help="Report only what fails.")] = False,
    json: JsonOption = False,
) -> int:
    """Process recordings, and join what was found into one result.

    Whatever ended it, the same command continues it. Ctrl-C lets the workers
    finish what they have, a second Ctrl-C drops it; what was done is kept. A
    recording that kills two processes is set aside, and the others go on.

    For example:

        facestream archive submit recordings/ --out tapes

        facestream archive submit list.txt --out /shared/tapes --address auto

        facestream archive submit s3://footage/2026/ --out s3://results/tapes

    Credentials for s3:// come from the environment (AWS_ACCESS_KEY_ID and others) or
    from ~/.aws/credentials, on each machine, and never from the command line.

    Exit code 1: not all are done. 130: stopped at once.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"--workers {workers} must be 1 or more")
    if not segment_seconds > 0:
        raise UsageError(f"--segment-seconds is {segment_seconds:g}: give more than 0")
    at = JobAt(out, work, s3_endpoint)
    asked = Asked(list(sources), at, load_config(config), address, workers, overwrite, segment_seconds, config)

    with archive_view(json=json, quiet=quiet) as show:
        over = submit_job(asked, show, _note)
    if not json and not quiet:
        say(summary(over.standing))
        if over.standing.bad:
            say(f"`{at.command('retry')}` lets what failed be tried again by the next `submit`")
        if over.report is not None:
            say(f"report: {readable(over.report)}")
        if over.standing.phase == "done" and at.at is not None:
            say(f"result: {out}; `{at.command('fetch', at.at.name or 'result')}` brings it to another machine")
    if over.standing.phase == "stopped":
        say("facestream: stopped; the same command goes on", aside=True)
    return over.exit_code


@archive_app.command
def status(out: Out, /, *, work: Work = None, s3_endpoint: Endpoint = "", json: JsonOption = False) -> int:
    """Show the state of a job, while it runs or afterwards; for one in s3:// on the machine that drives it.

    Exit code 1: it is neither running nor done, or a recording is incomplete.

    For example:

        facestream archive status tapes
    """
    stood = standing_of(JobAt(out, work, s3_endpoint))
    standing, is_driven = stood.standing, stood.is_driven
    if json:
        write_lines([{"driven": is_driven, **_fields(standing)}])
    else:
        say(one_line(standing))
        for bad in standing.bad:
            say(bad_words(bad))
        if standing.problem:
            say(f"It ended: {standing.problem}")
        if not is_driven and standing.phase != "done":
            say(f"Nothing is working on it now: {stood.going_on} continues it.")
    return int(bool(standing.bad) or (not is_driven and standing.phase != "done"))


@archive_app.command
def retry(out: Out, /, *, work: Work = None, s3_endpoint: Endpoint = "") -> int:
    """Have recordings that failed, or were set aside, tried again by the next `submit`.

    For example:

        facestream archive retry tapes
    """
    forgotten = retry_job(JobAt(out, work, s3_endpoint))
    say(f"{len(forgotten)} to be tried again: {', '.join(forgotten)}" if forgotten else "There is nothing to try again.")
    return 0


@archive_app.command
def fetch(
    out: Annotated[str, Parameter(help="s3://BUCKET/PREFIX, as given to `submit`.")],
    directory: Annotated[Path, Parameter(help="New directory for the result.")],
    /,
    *,
    s3_endpoint: Endpoint = "",
    overwrite: OverwriteOption = False,
) -> int:
    """Copy the result of a job from object storage to a directory.

    `facestream report`, `search`, `people` and everything else work on it.

    For example:

        facestream archive fetch s3://results/tapes tapes

        facestream search ada.jpg tapes
    """
    fetch_result(JobAt(out, endpoint=s3_endpoint), directory, _note, overwrite=overwrite)
    say(f"result: {readable(directory)}")
    return 0


def _note(sentence: str) -> None:
    say(f"facestream: note: {readable(sentence)}", aside=True)


def _fields(standing: object) -> dict[str, object]:
    import msgspec

    return dict(msgspec.to_builtins(standing))
