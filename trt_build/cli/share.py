"""Options that are a share of a whole."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter


def _check_share(kind: Any, value: float) -> None:
    if not 0 <= value <= 1:  # cyclopts' own range check accepts nan
        raise ValueError("Use a number from 0 to 1")


Share = Annotated[float, Parameter(validator=_check_share)]
"""A number from 0 to 1; anything else is wrong usage."""
