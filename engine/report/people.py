"""Who was named in a run: a table that leads to the tracks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from engine.report.isolated import isolated
from engine.report.table import table
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
    columns = {
        "person": [f'<a href="#t{person.place}">{isolated(person.identity)}</a>' for person in people],
        "tracks": [f"{person.tracks:,}" for person in people],
    }
    if any(person.streams > 1 for person in people):
        columns["streams"] = [f"{person.streams:,}" for person in people]
    if any(spans := [_span(person) for person in people]):
        columns["seen"] = spans
    if by_ratio:
        columns["likelihood ratio at best"] = [_ratio(person) for person in people]
    rows = list(zip(*columns.values(), strict=True))
    return f'<section class="people"><h2>Named</h2>{table(list(columns), rows)}</section>'


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
