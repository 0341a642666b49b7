"""What of a page in a browser would keep somebody out: names, contrast, sizes, headings; in both themes, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_CHECK = Path(__file__).with_name("access.js").read_text(encoding="utf-8")


def faults_of(page: Any) -> dict[str, list[str]]:
    """Return what is wrong, by theme and width; nothing where nothing is."""
    faults = {}
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            faults[f"{scheme} {width}"] = page.evaluate(_CHECK)
    page.set_viewport_size({"width": 1280, "height": 800})
    return {where: found for where, found in faults.items() if found}
