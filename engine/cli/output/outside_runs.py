"""Refuses to write what is made from a result into the result's own directory."""

from __future__ import annotations

from pathlib import Path

from engine.archive.claim import run_around
from engine.errors import UsageError


def check_outside_runs(*paths: Path | None) -> None:
    """Refuse to write into the directory of a run, where what erases or expires looks only for what a run writes.

    Args:
        paths: files or folders that are to be written; None: none.

    Raises:
        UsageError: one lies in such a directory, or is one.
    """
    for path in paths:
        if path is not None and (run := run_around(path)) is not None:
            raise UsageError(
                f"{path} lies inside the run's directory {run}, where `facestream erase` and `expire` look only for what runs "
                "write: choose a place outside of it"
            )
