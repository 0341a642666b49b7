"""How much time has passed between two frames, judged alike for all that lie equally far apart, whatever rounding made of it:
2.2 - 2.0 is a little more than 0.2, and 0.6 - 0.4 a little less."""

from __future__ import annotations

import math

ROUNDED_SECONDS = 1e-4
"""Far less than a frame takes, and more than stamps of 90,000 a second and their differences are rounded by."""


def reaches(passed_seconds: float, least_seconds: float) -> bool:
    """Tell whether at least so much time has passed."""
    return passed_seconds >= least_seconds - ROUNDED_SECONDS


def exceeds(passed_seconds: float, most_seconds: float) -> bool:
    """Tell whether more than so much time has passed."""
    return passed_seconds > most_seconds + ROUNDED_SECONDS


def whole_intervals(passed_seconds: float, length_seconds: float) -> int:
    """Return how many whole intervals have passed; below 0 where time steps back."""
    return math.floor((passed_seconds + ROUNDED_SECONDS) / length_seconds)
