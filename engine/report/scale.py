"""How strong a likeness is, on a scale with what a name asks for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from engine.contracts.findings import Basis, Candidate
from engine.words.worth import bounded, degree, ratio, share_of_strangers

_LEAST_LR, _MOST_LR = -3.0, 7.0
_RAREST = 8.0
"""Strangers rarer than 1 in 10^8 are at the end of the scale."""


def scale(candidates: Sequence[Candidate], basis: Basis | None) -> str:
    """Return how the best candidate does, and the next one; empty where nothing is measured that could be shown so."""
    if not candidates:
        return ""
    return _ratios(candidates, basis) + (_chances(candidates, basis) or _cosines(candidates, basis))


def _ratios(candidates: Sequence[Candidate], basis: Basis | None) -> str:
    values = [one.log10_lr for one in candidates[:2]]
    if values[0] is None:
        return ""
    ticks = [(float(power), ratio(power)) for power in (-2, 0, 3, 6)]
    bounds = basis.log10_lr_bounds if basis is not None else None
    said = degree(values[0]) or "says nothing either way"
    said += " if it is somebody else" if values[0] < 0 and degree(values[0]) else ""
    return _drawn(f"likelihood ratio {bounded(values[0], bounds)}: {said}", _LEAST_LR, _MOST_LR, values, ticks, bounds)


def _chances(candidates: Sequence[Candidate], basis: Basis | None) -> str:
    if basis is None or basis.false_name_rate is None or candidates[0].false_name_chance is None:
        return ""
    values = [_rarity(one.false_name_chance) for one in candidates[:2]]
    asked = _rarity(basis.false_name_rate)
    ticks = [(asked or 0.0, f"named from {share_of_strangers(basis.false_name_rate)}"), (_RAREST, "none")]
    said = f"strangers who look so much like somebody enrolled: {share_of_strangers(candidates[0].false_name_chance)}"
    return _drawn(said, 0.0, _RAREST, values, ticks, (asked or 0.0, _RAREST))


def _cosines(candidates: Sequence[Candidate], basis: Basis | None) -> str:
    if basis is None or basis.known_cosine is None:
        return ""
    values: list[float | None] = [one.cosine_original for one in candidates[:2]]
    limits = [(basis.known_cosine, f"known from {basis.known_cosine:.2f}")]
    if basis.unknown_cosine is not None:
        limits.insert(0, (basis.unknown_cosine, f"unknown below {basis.unknown_cosine:.2f}"))
    least = min(0.0, *(value for value in values if value is not None))
    return _drawn(f"cosine {candidates[0].cosine_original:.3f}", least, 1.0, values, limits, (basis.known_cosine, 1.0))


def _rarity(share: float | None) -> float | None:
    return None if share is None else min(_RAREST, -math.log10(max(share, 1e-12)))


def _drawn(
    said: str,
    least: float,
    most: float,
    values: Sequence[float | None],
    ticks: Sequence[tuple[float, str]],
    zone: tuple[float, float] | None,
) -> str:
    """Draw a scale: ``zone`` is coloured, the first value is marked strongly, the next one weakly."""

    def at(value: float) -> str:
        return f"{100 * (min(max(value, least), most) - least) / (most - least):.1f}%"

    marks = [
        f'<i class="at{" next" if place else ""}" style="left:{at(value)}"></i>'
        for place, value in enumerate(values)
        if value is not None
    ]
    coloured = "" if zone is None else f'<i class="zone" style="left:{at(zone[0])};right:calc(100% - {at(zone[1])})"></i>'
    labels = "".join(
        f'<span{_side(value, least, most)} style="left:{at(value)}">{escape(text)}</span>' for value, text in ticks
    )
    return (
        f'<div class="scale"><p>{escape(said)}</p><div class="bar">{coloured}{"".join(reversed(marks))}</div>'
        f'<div class="ticks">{labels}</div></div>'
    )


def _side(value: float, least: float, most: float) -> str:
    """Return the class of a label at an end, which would reach over it."""
    share = (value - least) / (most - least)
    return ' class="l"' if share < 0.1 else ' class="r"' if share > 0.9 else ""
