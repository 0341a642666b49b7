"""``facestream search``: compares a new face with everything in finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from engine.cli.desk.options import (
    FaceOption,
    PageOption,
    Results,
    check_embedder,
    check_one_embedder,
    embedder_of,
    photographs,
    refuse_for_tracks,
    tell_programs,
    worth_facts,
)
from engine.cli.output.json_lines import JsonOption
from engine.cli.output.long_work import check_place
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.cli.output.tables import Column, Rows
from engine.desk.compared import TWO_TRACKS, quality_limits, track_side
from engine.desk.hits import Found, Hit
from engine.desk.hits import search as search_results
from engine.desk.hits_page import chance_sentence, compared_with, worth_sentence, write_hits
from engine.desk.likeness import Likeness
from engine.desk.page import picture_of, ratio_words
from engine.desk.people import ref_of
from engine.desk.photograph import Photographed
from engine.desk.said_names import Names, said_names
from engine.desk.selection import choose_results, find_track, vector_of
from engine.desk.stored import Result
from engine.errors import PublishError, UsageError
from engine.words.text import readable
from engine.words.worth import LIMITS


def search(
    photo: Annotated[
        str,
        Parameter(
            help="A picture of the person to search for, or a track as RESULT:stream/track, or RESULT:track if there is one "
            "stream."
        ),
    ],
    /,
    *results: Results,
    face: FaceOption = None,
    limit: Annotated[int, Parameter(help="Number of tracks to show.")] = 20,
    page: PageOption = None,
    overwrite: OverwriteOption = False,
    embedder: Annotated[str | None, Parameter(help="By default that of the results.")] = None,
    json: JsonOption = False,
) -> int:
    """Search everything in finished runs for a face, best hits first.

    Every face and every track is compared. The best of each track is shown, with
    its likelihood ratio if one was calibrated. Among many tracks the best one may
    look alike by chance, so it is shown how many strangers would. No result is
    changed.

    For example:

        facestream search ada.jpg result

        facestream search group.jpg runs/* --face 2 --page hits.html

        facestream search monday:entrance/12 tuesday wednesday
    """
    if limit < 1:
        raise UsageError(f"--limit {limit} must be 1 or more")
    path = Path(photo)
    if path.is_dir():
        which = f"give the photograph first, then the results; for a track of it {photo}:stream/track"
        raise UsageError(f"{photo} is a folder: {which}")
    check_place(page, overwrite=overwrite, read=[path])
    check_outside_runs(page)
    chosen = choose_results(results)
    track = find_track(photo)
    if track is None:
        with photographs([path], embedder_of(chosen.results, embedder)) as (read, model):
            check_embedder(model, chosen.results[0])
            wanted = read(path, face)
        limits = quality_limits([wanted.quality])
    else:
        refuse_for_tracks(face, embedder)
        check_one_embedder([track.result, chosen.results[0]])
        wanted, limits = picture_of(track), track_side(track, vector_of(track), []).limits
    given, unknown = _names(chosen.results)
    likeness = Likeness(chosen.results[0].embedder_sha256)
    found = search_results(wanted.vector, wanted.quality.size_px, chosen.results, likeness, limit, track)
    notices = [*chosen.left_out, *unknown, *(f"{wanted.label}: {one}" for one in limits)]
    notices += [TWO_TRACKS] if track is not None else []
    if page is not None:
        write_hits(page, wanted, found, notices, given)
    if json:
        tell_programs(_for_programs(wanted, found, notices, given))
        return 0
    for sentence in [*wanted.remarks, *notices]:
        say(readable(sentence), aside=True)
    _tell_people(found, given)
    if page is not None:
        say(f"page: {readable(page)}")
    return 0


def _names(results: list[Result]) -> tuple[Names, list[str]]:
    """Return the names that people gave, and a sentence where they cannot be read: a face is looked for all the same."""
    try:
        return said_names(results), []
    except PublishError as error:
        return {}, [f"names that people gave are not shown: {error}"]


def _tell_people(found: Found, given: Names) -> None:
    say(compared_with(found))
    if not found.hits:
        return
    columns = [Column("hit", "number"), Column("track", "word"), Column("when", "word")]
    columns += [*(Column(title, "number") for title in ("px", "cosine", "ratio")), Column("named")]
    rows = [list(map(plain, _cells(number, hit, given))) for number, hit in enumerate(found.hits, 1)]
    Console(highlight=False).print(Rows(columns, rows))
    best = found.hits[0]
    chance = chance_sentence(best, found.tracks)
    said = [f"The first: {worth_sentence(best)}", *([chance] if chance else []), LIMITS]
    say(". ".join(said))


def _cells(number: int, hit: Hit, given: Names) -> list[str]:
    track, size = hit.track, hit.face.quality.size_px if hit.face else hit.track.size_px
    ratio = ratio_words(hit.worth) if hit.worth else "-"
    name = given.get(ref_of(track), track.name)
    return [str(number), readable(track.where), track.when, f"{size:.0f}", f"{hit.cosine:.3f}", ratio, name]


def _for_programs(photograph: Photographed, found: Found, notices: list[str], given: Names) -> dict[str, Any]:
    quality = photograph.quality
    return {
        "photograph": {"name": readable(photograph.label), "quality": quality, "remarks": photograph.remarks},
        "faces": found.faces,
        "tracks": found.tracks,
        "notices": [readable(one) for one in notices],
        "hits": [_hit(hit, given) for hit in found.hits],
    }


def _hit(hit: Hit, given: Names) -> dict[str, Any]:
    track, said = hit.track, given.get(ref_of(hit.track), "")
    return {
        "result": readable(track.result.run.directory),
        "stream": track.stream,
        "track_id": track.track_id,
        "first_seconds": track.first_seconds,
        "taken_ns": track.taken_ns,
        "face_seconds": hit.face.pts_seconds if hit.face else None,
        "size_px": hit.face.quality.size_px if hit.face else track.size_px,
        "cosine": hit.cosine,
        **worth_facts(hit.worth),
        "worth": worth_sentence(hit),
        "strangers_as_alike": hit.by_chance,
        "name": said or track.name,
        "named_by": "person" if said else "gallery" if track.name else "",
    }
