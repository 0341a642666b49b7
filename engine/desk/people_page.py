"""The page of people: everybody who was seen, with the tracks attributed to them, and what people have said."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from engine.archive.corrections import Correction, in_force
from engine.desk.page import figures, track_pictures, write_page
from engine.desk.people import People, Person
from engine.desk.stored import StoredTrack
from engine.exhibit.two_person import is_same_name
from engine.report.figures import embedded, figure, read_at
from engine.report.isolated import isolated
from engine.report.table import table
from engine.words.lists import first_of
from engine.words.numbers import count
from engine.words.text import readable
from engine.words.times import to_the_second

_MOST_PERSONS, _MOST_TRACKS = 300, 16
_FOOT = (
    "Tracks are grouped by how alike their faces are on average, so that two people are rarely taken for one, but two whom one "
    "camera filmed may be, and one person may be listed as several. Nothing here is an identification: a name is what the "
    "gallery or a person said. A name, a merge or a split is kept in corrections.jsonl beside the results, which themselves "
    "stay as they are."
)


def write_people(
    path: Path,
    people: People,
    shown_persons: Sequence[Person],
    results: Sequence[str],
    notices: Sequence[str],
    told: Sequence[str] = (),
) -> None:
    """Write the page; if there are very many people or tracks it shows the first ones and says so.

    Args:
        path: file to write.
        people: everybody.
        shown_persons: those to show.
        results: names of the results.
        notices: sentences that must be seen first.
        told: sentences that are no warnings.

    Raises:
        FacestreamError: it cannot be written.
    """
    left = len(shown_persons) - _MOST_PERSONS
    more = f"{count(left, 'more person is', 'more people are')} not shown here: --json has all"
    said = [*notices, *([f"{more}."] if left > 0 else [])]
    title = f"People in {results[0]}" if len(results) == 1 else f"People in {len(results)} results"
    strangers = sum(not person.name for person in people.persons)
    subtitle = f"{len(people.persons) - strangers:,} with a name, {count(strangers, 'stranger')}"
    write_page(path, title, subtitle, said, _body(shown_persons[:_MOST_PERSONS], people, told), _FOOT)


def nobody_words(people: People) -> str:
    """Return why nobody is listed, without a full stop: nobody was seen, nobody can be recognised, or each stranger was seen
    once."""
    if people.persons:
        return "nobody has a name, and nobody was seen more than once"
    return "nobody who was seen can be told from others" if people.left_out else "nobody was seen: there is no track"


def _body(persons: Sequence[Person], people: People, told: Sequence[str]) -> Iterator[str]:
    for sentence in [*told, *([] if persons else [f"{nobody_words(people).capitalize()}."])]:
        yield f'<p class="soft">{escape(readable(sentence))}</p>'
    yield "<h2>Who was seen</h2>" if persons else ""
    for person in persons:
        yield _card(person)
    if people.corrections:
        yield f"<h2>What people have said</h2>{_history(people.corrections)}"


def _card(person: Person) -> str:
    by = "named by a person" if person.given else "name from the gallery"
    badge = f'<span class="badge known">{by}</span>' if person.name else ""
    for other in sorted({track.name for track in person.tracks if track.name and not is_same_name(track.name, person.name)}):
        badge += f' <span class="badge undecided">the gallery says: {isolated(other)}</span>'
    seen = f"{person.id} · " if person.name else ""
    seen += f"{count(len(person.tracks), 'track')}, {count(person.faces, 'face')}, up to {person.largest_px:.0f} px"
    where = ", ".join(f"{isolated(result)} · {escape(stream)}" for result, stream in person.places)
    strip = ""
    if len(person.tracks) == 1:  # its picture is shown already
        where += f"/{person.tracks[0].track_id} · {escape(person.tracks[0].when)}"
    else:
        strip = f'<div class="strip">{_strip(person.tracks)}</div>'
    pictures = figures(track_pictures(person.best))
    return (
        f'<article class="card{" named" if person.name else ""}"><div class="pictures">{pictures}</div>'
        f"<div><h3>{isolated(person.name or person.id)} {badge}</h3>"
        f'<p class="soft">{escape(seen)}</p><p class="soft">{where}</p>'
        f"{strip}{_say(person)}</div></article>\n"
    )


def _strip(tracks: Sequence[StoredTrack]) -> str:
    more = len(tracks) - _MOST_TRACKS
    return "".join(map(_small, tracks[:_MOST_TRACKS])) + (f'<span class="soft">and {more:,} more</span>' if more > 0 else "")


def _say(person: Person) -> str:
    """Return commands to copy that say who somebody is; words in capitals are for the reader to fill in."""
    directories = dict.fromkeys(str(track.result.run.directory) for track in person.tracks)
    where = f"facestream people {' '.join(map(shlex.quote, directories))}"
    said = {
        "the name": f"{where} --name {person.id} NAME",
        "the same as somebody else (add the results of both)": f"{where} --merge {person.id} OTHER",
    }
    if len(person.tracks) > 1:
        said["one track is somebody else's, as the last one"] = f"{where} --split {shlex.quote(person.tracks[-1].where)}"
    lines = "".join(f"<p>{escape(what)}<br><code>{escape(readable(how))}</code></p>" for what, how in said.items())
    return f'<details class="say"><summary>Say who this is</summary>{lines}</details>'


def _small(track: StoredTrack) -> str:
    caption = f"{track.stream} · track\u00a0{track.track_id} · {track.when}"  # a number that breaks would be two
    picture = read_at(track.picture())
    return (
        figure(embedded(picture, caption), "pixels", caption)
        if picture
        else f"<figure><figcaption>{escape(caption)}, no picture left</figcaption></figure>"
    )


def _history(corrections: Sequence[Correction]) -> str:
    holds, rows = {one.id for one in in_force(corrections)}, []
    for one in corrections:
        undone = "" if one.id in holds or one.what == "undo" else " (undone)"
        cells = (f"{to_the_second(one.at)}Z", one.who, correction_words(one) + undone, one.note)
        rows.append((f"<code>{escape(one.id)}</code>", *(escape(readable(cell)) for cell in cells)))
    return table(("id", "when", "who", "what", "why"), rows)


def correction_words(one: Correction) -> str:
    """Return a correction in words."""
    tracks = [f"{ref.stream}/{ref.track_id}" for ref in one.tracks]
    some = first_of(tracks, 4)
    others = count(len(one.others), "other track")
    return {
        "merge": f"{some} are one person",
        "split": f"{some} {'is' if len(tracks) == 1 else 'are'} not the person of {others}",
        "name": f"{some}: {one.name or ('the name was erased' if one.erased else 'the name is taken back')}",
        "undo": f"undoes {one.undoes}",
    }[one.what]
