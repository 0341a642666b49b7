"""``facestream compare``: two faces side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from engine.cli.desk.options import (
    FaceOption,
    PageOption,
    check_embedder,
    check_one_embedder,
    photographs,
    refuse_for_tracks,
    tell_programs,
    worth_facts,
)
from engine.cli.output.json_lines import JsonOption
from engine.cli.output.long_work import check_place
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.saying import say
from engine.desk.compare_page import figures_of, worth_of, write_comparison
from engine.desk.compared import Compared, Side, photograph_side, track_side
from engine.desk.compared import compare as compare_sides
from engine.desk.likeness import Likeness
from engine.desk.page import track_pictures
from engine.desk.selection import find_track, vector_of
from engine.desk.stored import StoredTrack
from engine.words.text import readable
from engine.words.worth import LIMITS

Which = Annotated[
    str, Parameter(help="A photograph, or a track as RESULT:stream/track, or RESULT:track if there is one stream.")
]


def compare(
    one: Which,
    other: Which,
    /,
    *,
    face: FaceOption = None,
    page: PageOption = None,
    overwrite: OverwriteOption = False,
    embedder: Annotated[
        str | None, Parameter(help="For two photographs: dlib by default. Otherwise that of the result.")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Compare two faces: what their likeness is worth, and what limits it.

    Each is a photograph, or a track of a finished run as RESULT:stream/track.

    For example:

        facestream compare ada.jpg result:entrance/12

        facestream compare monday:entrance/12 tuesday:yard/3 --page same.html
    """
    check_place(page, overwrite=overwrite, read=[Path(one), Path(other)])
    check_outside_runs(page)
    tracks = {words: track for words in (one, other) if (track := find_track(words)) is not None}
    of_tracks = {words: track_side(track, vector_of(track), track_pictures(track)) for words, track in tracks.items()}
    check_one_embedder([track.result for track in tracks.values()])
    if len(of_tracks) == len({one, other}):
        refuse_for_tracks(face, embedder)
        sides, digest = [of_tracks[one], of_tracks[other]], tracks[one].result.embedder_sha256
    else:
        sides, digest = _with_photographs([one, other], of_tracks, list(tracks.values()), face, embedder)
    if sides[0].label == sides[1].label:  # of two folders
        sides = [replace(side, label=words) for side, words in zip(sides, (one, other), strict=True)]
    compared = compare_sides(sides[0], sides[1], Likeness(digest))
    if page is not None:
        write_comparison(page, compared, [])
    if json:
        tell_programs(_for_programs(compared))
        return 0
    say(" and ".join(f"{readable(side.label)} ({side.size_px:.0f} px)" for side in (compared.one, compared.other)))
    say(f"{worth_of(compared)}.")
    for name, value in figures_of(compared):
        say(f"  {name}: {value}")
    for sentence in [*compared.limits, LIMITS]:
        say(f"- {readable(sentence)}")
    if page is not None:
        say(f"page: {readable(page)}")
    return 0


def _with_photographs(
    words: list[str], sides: dict[str, Side], tracks: list[StoredTrack], face: int | None, embedder: str | None
) -> tuple[list[Side], str]:
    """Return both sides and whose vectors they have."""
    name = embedder or (tracks[0].result.embedder if tracks else "dlib")
    paths = [Path(one) for one in words if one not in sides]
    with photographs(paths, name) as (read, model):
        for track in tracks:
            check_embedder(model, track.result)
        return [sides[one] if one in sides else photograph_side(read(Path(one), face)) for one in words], model.sha256


def _for_programs(compared: Compared) -> dict[str, Any]:
    return {
        "sides": [_side(compared.one), _side(compared.other)],
        "cosine": compared.cosine,
        **worth_facts(compared.worth),
        "worth": worth_of(compared),
        "strangers_as_alike": compared.by_chance,
        "limits": [readable(one) for one in [*compared.limits, LIMITS]],
    }


def _side(side: Side) -> dict[str, Any]:
    return {"label": readable(side.label), "size_px": side.size_px, "moments": side.moments, "photograph": side.track is None}
