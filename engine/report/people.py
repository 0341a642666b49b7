"""Who was named in a run: a table that leads to the tracks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from engine.report.track_index import Person
from engine.words.times import clock, wall_span
from engine.words.worth import bounded


def people_table(people: Sequence[Person], by_ratio: bool) -> str:
    """Return a row for each person, best evidence first; empty where nobody was named.

    Args:
        people: who was named.
        by_ratio: their evidence is a likelihood ratio, as a power of ten.
    """
    if not people:
        return ""
    columns: list[tuple[str, str, list[str]]] = [
        ("person", "", [f'<a href="#t{person.place}">{escape(person.identity)}</a>' for person in people]),
        ("tracks", "", [f"{person.tracks:,}" for person in people]),
    ]
    if any(person.streams > 1 for person in people):
        columns.append(("streams", "", [f"{person.streams:,}" for person in people]))
    spans = [_span(person) for person in people]
    if any(spans):
        columns.append(("seen", ' class="seen"', spans))
    if by_ratio:
        ratios = [_ratio(person) for person in people]
        columns.append(("likelihood ratio at best", "", ratios))
    head = "".join(f'<th scope="col">{title}</th>' for title, _, _ in columns)
    rows = zip(*([f"<td{attribute}>{cell}</td>" for cell in cells] for _, attribute, cells in columns), strict=True)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f'<section class="people"><h2>Named</h2><table><tr>{head}</tr>{body}</table></section>'


def _ratio(person: Person) -> str:
    """Return the likelihood ratio at best; empty where there is none."""
    if person.evidence is None:
        return ""
    return bounded(person.evidence, (-math.inf, person.evidence if person.at_bound else math.inf))


def _span(person: Person) -> str:
    """Return when somebody was seen; empty where that is in seconds of several recordings, which say nothing together."""
    if person.clock_ns:
        return wall_span(*person.clock_ns)
    return "" if person.streams > 1 else f"{clock(person.first)} to {clock(person.last)}"
