"""How pages look: what all of them have, and what is one page's own."""

from __future__ import annotations

import importlib.resources


def style_of(package: str) -> str:
    """Return the style of the pages of a package: ``common.css``, and its own ``page.css``."""
    files = (("engine.report", "common.css"), (package, "page.css"))
    return "".join(importlib.resources.files(where).joinpath(name).read_text(encoding="utf-8") for where, name in files)
