"""Files beside those that a chain vouches for: what is derived from them, and what nobody knows."""

from __future__ import annotations

from pathlib import Path

from engine.archive.chain import CHAIN
from engine.archive.files import FACES
from engine.archive.pieces import LINED
from engine.archive.vector_files import row_bytes
from engine.exhibit.verdict import Verdict
from engine.words.lists import first_of

_DERIVED = ("report.html", "report.pdf", "report")


def look_beside(directory: Path, verdict: Verdict) -> None:
    """Tell a verdict what no block vouches for.

    Raises:
        OSError: the directory cannot be read.
    """
    known = {CHAIN, FACES, "run.json", *LINED}
    names = sorted(path.name for path in directory.iterdir() if path.name not in known and not row_bytes(path.name))
    for name in names:
        if name in _DERIVED:
            verdict.notes.append(f"{name} is made from the rest, and no block vouches for it: make it again to be sure of it")
    if others := [name for name in names if name not in _DERIVED]:
        verdict.notes.append(f"no block vouches for {first_of(others, 5)}")
