"""``facestream clip``: the moment of a track as a video."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from engine.archive.hiding import check_shown
from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.long_work import check_place, progress_bar
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.saying import say
from engine.client.results import load_run
from engine.errors import UsageError
from engine.footage.clip import Clip, cut_clip, suffix_for
from engine.private_file import make_private_folder
from engine.results.tracks_of import Seen, places_read, recording_in, tracks_seen
from engine.words.times import clock


def clip(
    result: Annotated[Path, Parameter(help="Output directory of a run.")],
    /,
    *,
    track: Annotated[
        list[int], Parameter(name=["--track", "-t"], negative=(), help="Number of a track. Repeat it for several.")
    ],
    stream: Annotated[str, Parameter(help="Its stream, if several streams have that number.")] = "",
    before: Annotated[float, Parameter(help="Seconds before the track begins.")] = 2.0,
    after: Annotated[float, Parameter(help="Seconds after it ends.")] = 2.0,
    exact: Annotated[bool, Parameter(negative=(), help="Begin exactly at the moment, by encoding again.")] = False,
    out: Annotated[
        Path | None,
        Parameter(
            name=["--out", "-o"], help="The video, .mp4 or .mkv; for several tracks a folder. By default STREAM-track-N."
        ),
    ] = None,
    recording: Annotated[Path | None, Parameter(help="Where the recording is now, if it was moved.")] = None,
    show_hidden: Annotated[bool, Parameter(negative=(), help="Do so even if the run was told to hide faces.")] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Cut the moment of a track out of its recording, with the sound.

    Pictures and sound are copied unchanged from the key frame before the moment,
    so a clip often begins a little earlier, and the command says by how much. If
    that is not possible, as with a series of pictures, or with --exact, the
    pictures are encoded again.

    For example:

        facestream clip result --track 3

        facestream clip result --track 3 --track 5 --before 10 --out clips

        facestream clip result --track 3 --exact --out exhibit.mp4
    """
    if not (0 <= before < math.inf and 0 <= after < math.inf):
        raise UsageError("--before and --after must be 0 seconds or more")
    check_outside_runs(out or Path.cwd())
    run = load_run(result)
    check_shown(run.record, show_hidden=show_hidden)
    seen = tracks_seen(run, list(dict.fromkeys(track)), stream)
    if recording is not None and len({one.stream for one in seen}) > 1:
        raise UsageError("--recording goes with tracks of one stream: take one after the other")
    several = len(seen) > 1
    jobs = []
    for one in seen:
        source = recording_in(run, one.stream, recording, partial(say, aside=True))
        name = f"{one.stream}-track-{one.track_id}{suffix_for(source, exact=exact)}"
        path = Path(name) if out is None else out / name if several or out.is_dir() else out
        if several and out is not None:
            _make_folder(out)
        check_place(path, overwrite=overwrite, read=[*source.files, *places_read(run)])
        jobs.append((one, source, path))
    for one, source, path in jobs:
        with progress_bar(path.name) as tell:
            made = cut_clip(source, one.moment(before, after), path, exact=exact, overwrite=overwrite, tell=tell)
        if json:
            write_lines([_facts(one, made, source.path)])
        else:
            say(_words(one, made, source.path, max(0.0, one.first_seconds - before)))
    return 0


def _make_folder(path: Path) -> None:
    try:
        make_private_folder(path)
    except OSError as error:
        raise UsageError(f"cannot make the folder {path}: {error.strerror}") from error


def _words(seen: Seen, made: Clip, source: Path, asked: float) -> str:
    words = f"{made.path}: track {seen.track_id}, {clock(made.begins_seconds)} to {clock(made.ends_seconds)} of {source}"
    if made.encoder:
        why = "" if made.why_encoded == "as asked" else f" as {made.why_encoded}"
        return f"{words}, encoded anew by {made.encoder}{why}"
    early = asked - made.begins_seconds
    return f"{words}, copied" + (f"; it begins {early:.1f} s earlier, at a key frame" if early >= 0.05 else "")


def _facts(seen: Seen, made: Clip, source: Path) -> dict[str, Any]:
    return {
        "clip": str(made.path),
        "recording": str(source),
        "stream": seen.stream,
        "track_id": seen.track_id,
        "begins_seconds": round(made.begins_seconds, 6),
        "ends_seconds": round(made.ends_seconds, 6),
        "track_begins_seconds": seen.first_seconds,
        "track_ends_seconds": seen.last_seconds,
        "copied": not made.encoder,
        "encoder": made.encoder,
    }
