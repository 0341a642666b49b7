"""Tables of pages: on a phone each row stands as a list of its cells, with their titles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table.

    Args:
        titles: of the columns, plain text.
        rows: of cells, which are HTML.
    """
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "".join(f"<tr>{''.join(map(_cell, titles, row))}</tr>" for row in rows)
    return f'<table class="wide"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _cell(title: str, html: str) -> str:
    """Return a cell; what is in it is one box, which stands beside its title on a phone."""
    return f'<td data-title="{escape(title)}">{html and f"<span>{html}</span>"}</td>'
