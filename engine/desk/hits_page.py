"""The page of a search: the photograph, and the tracks that may show the same person, best first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from engine.desk.hits import Found, Hit
from engine.desk.page import chance_words, details, figures, ratio_words, track_pictures, write_page
from engine.desk.people import ref_of
from engine.desk.photograph import Photographed
from engine.desk.said_names import Names
from engine.report.isolated import isolated
from engine.words.numbers import count
from engine.words.text import readable
from engine.words.worth import degree, worth

_SOMEBODY_ELSE = "More probably somebody else"


def write_hits(path: Path, photograph: Photographed, found: Found, notices: Sequence[str], given: Names) -> None:
    """Write the page.

    Args:
        path: file to write.
        photograph: the one that was searched for.
        found: the hits.
        notices: sentences that must be seen first.
        given: names that people gave to tracks.

    Raises:
        FacestreamError: it cannot be written.
    """
    subtitle = compared_with(found)
    write_page(path, f"Search for {photograph.label}", subtitle, notices, _body(photograph, found, given))


def worth_sentence(hit: Hit) -> str:
    """Return what a hit is worth, in words."""
    if hit.worth is None:
        return "What this likeness is worth was not measured"
    return worth(hit.worth.log10_lr, "the person looked for")


def compared_with(found: Found) -> str:
    """Return how many faces and tracks were compared, in words."""
    return f"compared with {count(found.faces, 'face')} of {count(found.tracks, 'track')}"


def chance_sentence(hit: Hit, tracks: int) -> str:
    """Return how many strangers would look this much alike, in words; empty if that was not measured."""
    if hit.by_chance is None:
        return ""
    return f"Of {count(tracks, 'track')} of strangers {chance_words(hit.by_chance)} would look as much alike, on average"


def _body(photograph: Photographed, found: Found, given: Names) -> Iterator[str]:
    kept = (photograph.media_type, photograph.picture)
    pictures = figures([("the face looked for", "original", kept)] if photograph.picture else [])
    facts = details([("face", f"{photograph.quality.size_px:.0f} px"), ("sharpness", f"{photograph.quality.sharpness:.2f}")])
    remarks = "".join(f"<li>{escape(one)}</li>" for one in photograph.remarks)
    yield "<h2>Looked for</h2>"
    yield f'<article class="card probe"><div class="pictures">{pictures}</div><div><h3>{isolated(photograph.label)}</h3>'
    yield f"{facts}{f'<ul>{remarks}</ul>' if remarks else ''}</div></article>"
    if not found.hits:
        yield '<h2>Hits, best first</h2><p class="soft">There is no face to compare with.</p>'
    numbered = enumerate(found.hits, 1)
    for heading, hits in groupby(numbered, lambda one: _heading(one[1])):
        yield f"<h2>{heading}</h2>"
        for number, hit in hits:
            if number == 1 and heading == _SOMEBODY_ELSE:
                yield '<p class="soft">No track speaks for the person looked for.</p>'
            yield _card(number, hit, found.tracks, given.get(ref_of(hit.track), ""))


def _heading(hit: Hit) -> str:
    """Return under what a hit stands: a list of "hits" alone makes one of somebody who is more probably somebody else."""
    if hit.worth is None:
        return "Not weighed, the most alike first"
    return _SOMEBODY_ELSE if hit.worth.log10_lr < 0 and degree(hit.worth.log10_lr) else "Hits, best first"


def _card(number: int, hit: Hit, tracks: int, given: str) -> str:
    track = hit.track
    where = f"{isolated(track.result.label)} · {escape(track.stream)} · track {track.track_id}"
    head = f'<span class="rank">{number}</span>{where}'
    name = given or track.name
    badge = f'<span class="badge known">{isolated(name)}{", named by a person" if given else ""}</span>' if name else ""
    rests = "one face" if hit.face is not None or len(track.faces) == 1 else f"{count(len(track.faces), 'face')}, fused"
    facts = [
        ("when", track.when),
        ("likelihood ratio", ratio_words(hit.worth)),
        ("cosine", f"{hit.cosine:.3f}"),
        ("rests on", f"{rests}, {hit.face.quality.size_px if hit.face else track.size_px:.0f} px"),
        ("in", str(track.result.run.directory)),
    ]
    chance = chance_sentence(hit, tracks)
    said = f'<p class="worth">{escape(worth_sentence(hit))}.</p>' + (f'<p class="soft">{escape(chance)}.</p>' if chance else "")
    return (
        f'<article class="card"><div class="pictures">{figures(track_pictures(track, hit.face))}</div>'
        f"<div><h3>{head} {badge}</h3>{said}{details([(name, readable(value)) for name, value in facts])}</div></article>\n"
    )
