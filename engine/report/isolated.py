"""Names among other text."""

from __future__ import annotations

from html import escape

from engine.words.text import readable


def isolated(name: str) -> str:
    """Return a name as HTML that leaves alone what stands beside it, also where it is written from right to left."""
    return f"<bdi>{escape(readable(name))}</bdi>"
