"""``facestream reproduce``: make one track of a result again, and compare."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from engine.cli.output.json_lines import write_lines
from engine.cli.output.saying import say
from engine.cli.output.tables import Column, Rows
from engine.reproduction.compared import LEAST_COSINE, LEAST_PSNR_DB, MOST_SCORE, Compared
from engine.reproduction.reproduce import Reproduction
from engine.reproduction.reproduce import reproduce as make_again
from engine.words.numbers import count

_MOST_ROWS = 40


def reproduce(
    directory: Annotated[Path, Parameter(help="The output directory of a run over recordings.")],
    /,
    *,
    track: Annotated[int, Parameter(help="The track's number, as the run's table and report show it.")],
    stream: Annotated[str, Parameter(help="Its stream, if several streams have that number.")] = "",
    recording: Annotated[Path | None, Parameter(help="Where the recording is now, if it was moved.")] = None,
    engines: Annotated[
        Path | None, Parameter(help="Folder of engines, if you trust it; by default your own, whatever the result names.")
    ] = None,
    whole: Annotated[
        bool, Parameter(negative=(), help="Also find and follow the faces again, from the beginning of the recording.")
    ] = False,
    json: Annotated[bool, Parameter(negative=(), help="Print JSON, for programs.")] = False,
) -> int:
    """Make one track of a result again from its recording: is it the same?

    The faces are cut again from the same frames and places, and what follows is
    repeated: enlarging, the picture of the track, vectors, scores. On the machine
    of the run, with its models and versions, everything is equal, byte for byte.
    Elsewhere it may be near: pictures within 40 dB, vectors within a cosine of
    0.999, scores within 0.005, and the same decision. Models and versions that
    differ from the run's are listed first. Exit code 1: neither equal nor near.

    For example:

        facestream reproduce result --track 3

        facestream reproduce result --track 3 --recording /evidence/street.mp4

        facestream reproduce result --track 3 --whole --json
    """
    console = Console(stderr=True, quiet=json)
    with console.status(f"reading the recording of track {track}") as status:
        told = make_again(
            directory,
            track,
            stream,
            recording=recording,
            engines=engines,
            whole=whole,
            progress=lambda frame: status.update(f"frame {frame}"),
            warn=lambda sentence: None if json else say(f"note: {sentence}", aside=True),
        )
    if json:
        facts = {"equal": told.is_equal, "within": told.is_within} | dataclasses.asdict(told)
        write_lines([facts])
    else:
        _say(told)
    return int(not told.is_within)


def _say(told: Reproduction) -> None:
    Console().print(_table(told))
    for sentence in (*told.sightings, *told.scores):
        say(sentence)
    if not told.scores_compared:
        say("the scores were not compared: the gallery has changed, is missing, or is in a database")
    if not told.hashed:
        say("the run did not record the SHA-256 of the recording, so it is unknown whether this is the one that was read")
    if not told.last_word:
        say(f"track {told.track_id} has no final message in the result, as after a kill: only its faces were compared")
    how = "found and followed anew from the beginning of" if told.whole else "cut again from"
    say(f"{count(told.faces, 'face')} of track {told.track_id}, {how} {told.recording}")
    say(f"track {told.track_id} of {told.stream} is {_verdict(told)}")


def _verdict(told: Reproduction) -> str:
    if told.is_equal:
        return "equal: every picture byte for byte, every vector bit for bit"
    missing = sum(part.how == "missing" for part in told.parts)
    gone = f"; {missing} of {len(told.parts)} pictures and vectors are not there to compare with" if missing else ""
    if told.is_within:
        bounds = f"pictures {LEAST_PSNR_DB:g} dB, vectors a cosine of {LEAST_COSINE:g}, scores {MOST_SCORE:g}"
        return f"the same within the tolerance: {bounds}{gone}"
    return f"NOT the same{gone}"


def _table(told: Reproduction) -> Rows:
    names = list(dict.fromkeys(part.part for part in told.parts))
    columns = [Column("frame", "number"), *(Column("vector" if name == "embedding" else name) for name in names)]
    rows: dict[tuple[str, int], dict[str, Compared]] = {}
    for part in told.parts:
        rows.setdefault((part.message, part.frame_index), {})[part.part] = part
    chosen, caption = list(rows.items()), ""
    if len(chosen) > _MOST_ROWS:
        caption = f"the first {_MOST_ROWS - 1} of {len(chosen)}, and the track"
        chosen = [*chosen[: _MOST_ROWS - 1], chosen[-1]]
    cells = [
        ["track" if message == "track" else str(index), *(_cell(found[name]) if name in found else "" for name in names)]
        for (message, index), found in chosen
    ]
    return Rows(columns, cells, caption=caption)


def _cell(part: Compared) -> str:
    if part.psnr_db is not None:
        return f"{'' if part.how == 'near' else 'FAR '}{part.psnr_db:.1f} dB"
    if part.cosine is not None:
        return f"{'' if part.how == 'near' else 'FAR '}{part.cosine:.6f}"
    return part.how
