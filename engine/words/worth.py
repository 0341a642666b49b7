"""What a likelihood ratio is worth, as a person says it.

The words are those of ENFSI's Guideline for Evaluative Reporting in Forensic Science (2015), one for each power of ten.
"""

from __future__ import annotations

import math

LIMITS = (
    "A ratio is about one comparison: the best of many has a high one by chance. Relatives and twins were not measured: for "
    "them it is too high."
)
_LEAST = math.log10(2)
"""Less than this either way is no support."""
_DEGREES = (
    (6.0, "exceedingly more probable"),
    (4.0, "far more probable"),
    (3.0, "much more probable"),
    (2.0, "appreciably more probable"),
    (1.0, "more probable"),
    (_LEAST, "slightly more probable"),
)


def degree(log10_ratio: float) -> str:
    """Return by how much more probable, as ``much more probable``; empty where it says nothing either way."""
    return next((words for least, words in _DEGREES if abs(log10_ratio) >= least), "")


def worth(log10_ratio: float, identity: str) -> str:
    """Return one sentence, without its full stop."""
    words = degree(log10_ratio)
    if not words:
        return f"Such a likeness is about as probable if it is {identity} as if it is somebody else"
    likelier, other = (identity, "somebody else") if log10_ratio > 0 else ("somebody else", identity)
    return f"Such a likeness is {words} if it is {likelier} than if it is {other}"


def one_in(share: float) -> str:
    """Return a bound on a share, rounded up, as ``1 in 40,000`` or ``310 in 1,000``; at least 1 in 100,000."""
    if share >= 1:
        return "every one"
    if share > 0.1:
        return f"{math.ceil(100 * share - 1e-6) * 10} in 1,000"
    number = 1 / max(share, 1e-5)
    step = 10.0 ** (math.floor(math.log10(number) + 1e-9) - 1)
    return f"1 in {math.floor(number / step + 1e-6) * step:,.0f}"


def share_of_strangers(share: float) -> str:
    """Return a bound on a share as a page has room for it: ``25 %``, ``4 in 1,000``, ``1 in 46,000``."""
    if share < 1e-5:
        return "< 1 in 100,000"
    if share < 1e-3:
        return one_in(share)
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{1000 * share:.2g} in 1,000"


def bounded(log10_ratio: float, bounds: tuple[float, float] | None) -> str:
    """Return the ratio, with ``or more`` or ``or less`` where it stands at a bound.

    Args:
        log10_ratio: as a power of ten.
        bounds: the lowest and the highest that can be shown of such faces, likewise; None: not known.
    """
    if bounds is None:
        return ratio(log10_ratio)
    low, high = bounds
    return ratio(log10_ratio) + (" or more" if log10_ratio >= high else " or less" if log10_ratio <= low else "")


def ratio(log10_ratio: float) -> str:
    """Return the ratio with two digits, as ``1,200`` or ``1/30``."""
    value = 10 ** abs(log10_ratio)
    digits = max(0, 1 - math.floor(math.log10(value)))
    rounded = round(value, 1 - math.floor(math.log10(value)))
    text = f"{rounded:,.{digits}f}".removesuffix(".0")
    return text if log10_ratio >= 0 or rounded == 1 else f"1/{text}"
