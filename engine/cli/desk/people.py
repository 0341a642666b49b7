"""``facestream people``: who was seen across files and cameras, and the user's corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter
from rich.console import Console

from engine.archive.corrections import Correction, in_force, read_corrections
from engine.cli.desk.options import PageOption, Results, tell_programs
from engine.cli.desk.who import user_name
from engine.cli.output.json_lines import JsonOption
from engine.cli.output.long_work import check_place
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.plain import plain
from engine.cli.output.saying import say
from engine.cli.output.tables import Column, Rows
from engine.desk.corrected import Desk, beside_each_other, directories_of, only_grouped
from engine.desk.namesakes import unlike_namesakes
from engine.desk.people import PRIOR, People, Person, people_of
from engine.desk.people_page import correction_words, nobody_words, write_people
from engine.desk.selection import choose_results
from engine.desk.stored import Result
from engine.errors import UsageError
from engine.keys.signing import signing_key
from engine.words.numbers import count
from engine.words.text import readable
from engine.words.times import to_the_second

_MOST_LISTED = 5
_Several = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")]


def people(
    *results: Results,
    merge: _Several = (),
    split: _Several = (),
    name: Annotated[tuple[str, str] | None, Parameter(negative="")] = None,
    unname: str = "",
    undo: str = "",
    note: str = "",
    who: str = "",
    sign: Path | None = None,
    history: bool = False,
    prior: float = PRIOR,
    everybody: Annotated[bool, Parameter(name="--all", negative=())] = False,
    page: PageOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Show who was seen in finished runs, across files and cameras.

    Tracks are grouped into people. A stranger has an id such as P-7K2MXQ4, which
    stays the same when you give more results. What you say about people is added
    to corrections.jsonl beside each result, with your name and the time; nothing
    that a run wrote is changed, and everything can be undone.

    For example:

        facestream people runs/* --page people.html

        facestream people runs/* --merge P-7K2MXQ4 P-R93CDFA --note "the same coat"

        facestream people runs/* --split yard/12 --name P-7K2MXQ4 "Ada Lovelace"

        facestream people runs/* --undo 3f9a12c4

    Parameters
    ----------
    merge
        These people are one: ids, names, or tracks as stream/track or RESULT:stream/track.
    split
        These tracks are not of the person they are listed with.
    name
        Give a person a name: whom, and the name. For a track, stream/track, it applies to that track alone.
    unname
        Take back a person's name.
    undo
        The id of a correction that no longer holds.
    note
        The reason, for the file of corrections.
    who
        Who says so; your user name by default.
    sign
        The key that the runs were signed with, to vouch in their hash chains for what you say.
    history
        Show what was said, by whom and when.
    prior
        How probable it is that two tracks are of one person, before they are looked
        at: a smaller value joins fewer tracks.
    everybody
        Include strangers who were seen once.
    """
    asked = list(_asked(merge, split, name, unname, undo))
    if (note or who) and not asked:
        raise UsageError("--note and --who belong to a correction: give --merge, --split, --name, --unname or --undo")
    check_place(page, overwrite=overwrite)
    check_outside_runs(page)
    key = signing_key(sign.expanduser()) if sign else None
    chosen = choose_results(results)
    found = people_of(chosen.results, _corrections(chosen.results), prior)
    done: list[Correction] = []
    notices: list[str] = []
    for correct in asked:
        desk = Desk(chosen.results, found, who or user_name(), note, key)
        done.append(correct(desk))
        notices += desk.notices
        found = people_of(chosen.results, _corrections(chosen.results), prior)
    notices += [words for one in done if one.what == "name" and (words := _grouping_words(found, one))]
    notices += [words for one in done if (words := _beside_words(found, one))]
    persons = [one for one in found.persons if everybody or one.name or len(one.tracks) > 1]
    notices += [*chosen.left_out, *_notices(found)]
    once = len(found.persons) - len(persons)
    told = [f"{count(once, 'stranger was', 'strangers were')} seen once: --all shows them"] if once else []
    if page is not None:
        write_people(page, found, persons, [readable(result.run.directory) for result in chosen.results], notices, told)
    notices += told
    if json:
        tell_programs(_for_programs(found, done, notices))
        return 0
    if persons:
        _tell_people(persons, several=len(chosen.results) > 1)
    else:
        say(nobody_words(found))
    if history:
        _tell_history(found.corrections)
    for one in done:  # below the table, where it is seen
        say(f"{one.id}: {correction_words(one)}; `--undo {one.id}` takes it back")
    for sentence in notices:
        say(readable(sentence))
    if page is not None:
        say(f"page: {readable(page)}")
    return 0


def _asked(
    merge: Sequence[str], split: Sequence[str], name: tuple[str, str] | None, unname: str, undo: str
) -> Iterator[Callable[[Desk], Correction]]:
    """Yield what is to be said at the desk, in this order."""
    if merge:
        yield lambda desk: desk.merge(merge)
    if split:
        yield lambda desk: desk.split(split)
    if name is not None:
        whom, what = name
        yield lambda desk: _name(desk, whom, what)
    if unname:
        yield lambda desk: desk.name(unname, "")
    if undo:
        yield lambda desk: desk.undo(undo)


def _name(desk: Desk, whom: str, what: str) -> Correction:
    if not what.strip():
        raise UsageError("the name is empty: --unname takes a name back")
    for other in desk.namesakes(what):
        say(f"{readable(other)} is there, too: if both are one, --merge joins them", aside=True)
    return desk.name(whom, what)


def _grouping_words(found: People, named: Correction) -> str:
    """Say which tracks get a name although nobody said it of them; empty: none."""
    others = [track.where for track in only_grouped(found, named)]
    tracks = count(len(others), "other track")
    return f"grouping gives {named.name} to {tracks}, too, unconfirmed: {_first(others)}" if others else ""


def _beside_words(found: People, said: Correction) -> str:
    """Say which tracks are one person now and stand beside each other in the picture; empty: none."""
    pairs = [f"{one.where} and {other.where}" for one, other in beside_each_other(found, said)]
    return f"now one person, but seen in two places at the same time: {_first(pairs)}" if pairs else ""


def _first(names: Sequence[str], between: str = ", ") -> str:
    """Return the first of them, and how many more there are."""
    more = len(names) - _MOST_LISTED
    return between.join(names[:_MOST_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _corrections(results: Sequence[Result]) -> list[Correction]:
    return read_corrections(directories_of(results))


def _notices(found: People) -> list[str]:
    tracks = count(found.left_out, "track")
    why = "no vector is left, or the face is too poor to recognise"
    said = [
        f"{person.name} was named by two galleries, and the faces do not look like one person: perhaps two people have this "
        f"name; compare {one.where} with {other.where}, and --split parts them"
        for person, one, other in unlike_namesakes(found)
    ]
    return [*said, *([f"{tracks} cannot be grouped: {why}"] if found.left_out else [])]


def _tell_people(persons: Sequence[Person], *, several: bool) -> None:
    columns = [Column("id", "word"), Column("name"), *(Column(title, "number") for title in ("tracks", "faces", "px"))]
    columns += [Column("first seen", "word"), Column("where", "word" if several else "words")]
    Console(highlight=False).print(Rows(columns, [_cells(person, several=several) for person in persons]))


def _cells(person: Person, *, several: bool) -> list[str]:
    """Return a row; its tracks are named as --split and --merge take them, of several results each on a line, never broken."""
    names = [plain(readable(one.where if several else f"{one.stream}/{one.track_id}")) for one in person.tracks]
    figures = [str(len(person.tracks)), str(person.faces), f"{person.largest_px:.0f}"]
    where = _first(names, "\n" if several else ", ")
    return [person.id, plain(readable(person.name)), *figures, person.tracks[0].when, where]


def _tell_history(corrections: Sequence[Correction]) -> None:
    if not corrections:
        say("nobody has said anything about these people")
        return
    holds = {one.id for one in in_force(corrections)}
    columns = [
        Column("id", "word"),
        Column("when", "word"),
        Column("who"),
        Column("what", "sentence"),
        Column("why", "sentence"),
    ]
    rows = []
    for one in corrections:
        undone = "" if one.id in holds or one.what == "undo" else " (undone)"
        cells = [one.id, f"{to_the_second(one.at)}Z", one.who, correction_words(one) + undone, one.note]
        rows.append([plain(readable(cell)) for cell in cells])
    Console(highlight=False).print(Rows(columns, rows))


def _for_programs(found: People, done: Sequence[Correction], left_out: Sequence[str]) -> dict[str, Any]:
    return {
        "people": [_person(one) for one in found.persons],
        "not_grouped": found.left_out,
        "corrections": msgspec.to_builtins(found.corrections),
        "done": [one.id for one in done],
        "notices": [readable(one) for one in left_out],
    }


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "named_by": "" if not person.name else "person" if person.given else "gallery",
        "tracks": [
            {
                "result": readable(track.result.run.directory),
                "stream": track.stream,
                "track_id": track.track_id,
                "first_seconds": track.first_seconds,
                "last_seconds": track.last_seconds,
                "taken_ns": track.taken_ns,
                "faces": len(track.faces),
                "size_px": track.size_px,
            }
            for track in person.tracks
        ],
    }
