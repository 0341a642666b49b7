"""Who was named in a run: a table that leads to the tracks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.report.track_index import Person
from engine.words.times import clock, wall_span
from engine.words.worth import ratio


def people_table(people: Sequence[Person], by_ratio: bool) -> str:
    """Return a row for each person, best evidence first; empty where nobody was named.

    Args:
        people: who was named.
        by_ratio: their evidence is a likelihood ratio, as a power of ten.
    """
    if not people:
        return ""
    several = any(person.streams > 1 for person in people)
    head = "<th>person</th><th>tracks</th>" + ("<th>streams</th>" if several else "") + "<th>seen</th>"
    head += "<th>likelihood ratio at best</th>" if by_ratio else ""
    rows = []
    for person in people:
        seen = wall_span(*person.clock_ns) if person.clock_ns else f"{clock(person.first)} to {clock(person.last)}"
        if several and person.clock_ns is None and person.streams > 1:
            seen = ""  # seconds of different recordings say nothing together
        cells = [f'<a href="#t{person.place}">{escape(person.identity)}</a>', f"{person.tracks:,}"]
        cells += [f"{person.streams:,}"] if several else []
        cells += [seen]
        cells += ["" if person.evidence is None else ratio(person.evidence)] if by_ratio else []
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append("<tr>" + row.replace(f"<td>{seen}</td>", f'<td class="seen">{seen}</td>', 1) + "</tr>")
    return f'<section class="people"><h2>Named</h2><table><tr>{head}</tr>{"".join(rows)}</table></section>'
