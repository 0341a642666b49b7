"""The digits of a number that mean something, wherever a result is written as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DECIMALS = {"seconds": 3, "cosine": 4, "log10_lr": 2}
"""By a part of the name: milliseconds, as a frame lasts tens of them; cosines, which two processors compute alike to three or
four digits; likelihood ratios, whose bounds are wider than a hundredth of their logarithm."""


def written(name: str, value: float) -> str:
    """Return a number as a table has it: those of one column with equally many decimals, others with the seven digits that
    they were computed with.

    Args:
        name: of the field, which decides.
        value: the number.
    """
    decimals = _decimals(name)
    return f"{value:.7g}" if decimals is None else f"{value:.{decimals}f}"


def rounded(value: Any, name: str = "") -> Any:
    """Return what JSON is made of, with each number as ``written`` has it, by the name of the nearest field around it."""
    if isinstance(value, Mapping):
        return {key: rounded(of, str(key)) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one, name) for one in value]
    return float(written(name, value)) if isinstance(value, float) else value


def _decimals(name: str) -> int | None:
    return next((digits for word, digits in _DECIMALS.items() if word in name), None)
