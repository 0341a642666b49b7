"""Tracks of the last days, from the run directories."""

from __future__ import annotations

from pathlib import Path


class Timeline:
    """Reads what runs have written.

    Args:
        runs: the folder with one directory a run; it need not exist.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
