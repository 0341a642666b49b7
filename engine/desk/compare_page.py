"""The page of a comparison: two faces side by side, what their likeness is worth, and what limits it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from engine.desk.compared import Compared, Side
from engine.desk.page import details, figures, ratio_words, write_page
from engine.report.isolated import isolated
from engine.words.numbers import count
from engine.words.text import readable
from engine.words.worth import LIMITS, ratio, share_of_strangers, worth


def write_comparison(path: Path, compared: Compared, notices: Sequence[str]) -> None:
    """Write the page.

    Raises:
        FacestreamError: it cannot be written.
    """
    title = f"{compared.one.label} and {compared.other.label}"
    write_page(path, title, "two faces compared", notices, _body(compared))


def worth_of(compared: Compared) -> str:
    """Return what a comparison is worth, in one sentence without its full stop."""
    if compared.is_same:
        return "There is nothing to weigh: it is one face compared with itself"
    if compared.worth is None:
        return "What this likeness is worth was not measured"
    return worth(compared.worth.log10_lr, "one person").replace("somebody else", "two people")


def figures_of(compared: Compared) -> list[tuple[str, str]]:
    """Return the name and value of every figure that was computed."""
    found = [] if compared.is_same else [("likelihood ratio", ratio_words(compared.worth))]
    if compared.worth is not None:
        low, high = compared.worth.bounds
        found += [
            ("as a power of ten", f"{compared.worth.log10_lr:.2f}"),
            ("that can be shown", f"{ratio(low)} to {ratio(high)}"),
            ("calibrated on", compared.worth.bucket),
            ("calibration", compared.worth.calibration),
        ]
    found.append(("cosine", f"{compared.cosine:.3f}"))
    if compared.by_chance is not None:
        found.append(("strangers as much alike, at most", share_of_strangers(compared.by_chance)))
    return found


def _body(compared: Compared) -> Iterator[str]:
    yield f'<p class="worth">{escape(worth_of(compared))}.</p>{details(figures_of(compared))}'
    yield f'<h2>The two</h2><div class="two">{_side(compared.one)}{_side(compared.other)}</div>'
    limits = "".join(f"<li>{escape(readable(one))}</li>" for one in [*compared.limits, LIMITS])
    yield f"<h2>What limits it</h2><ul>{limits}</ul>"


def _side(side: Side) -> str:
    seen = "in a photograph" if side.track is None else f"at {count(side.moments, 'moment')}"
    facts = details([("face", f"{side.size_px:.0f} px"), ("seen", seen)])
    return (
        f'<article class="card"><div class="pictures">{figures(side.pictures)}</div>'
        f"<div><h3>{isolated(side.label)}</h3>{facts}</div></article>"
    )
