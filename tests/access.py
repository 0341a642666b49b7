"""What of a page in a browser would keep somebody out: names, contrast, sizes, headings; in both themes, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

NAMES = (
    "W" * 200,
    "Maximilian-Alexander " * 9 + "von",
    "עמית " * 40 + "כהן",
    "عبد الرحمن (2)",
    "🧑‍🚒" * 40,
    "<script>alert(1)</script> & </b>",
)
"""Names of people that a page must bear."""
_CHECK = Path(__file__).with_name("access.js").read_text(encoding="utf-8")


def cut_on_paper(page: Any) -> list[str]:
    """Return what does not fit on a sheet of A4, or stands in a part that is folded away; the page is left as for print."""
    page.set_viewport_size({"width": 718, "height": 1000})  # 190 mm of 96 px an inch
    page.emulate_media(media="print")
    folded = "[...document.querySelectorAll('details section')].filter((one) => !one.checkVisibility()).map((one) => one.id)"
    return [*page.evaluate(folded), *(fault for fault in page.evaluate(_CHECK) if "cut off" in fault or "wider" in fault)]


def faults_of(page: Any) -> dict[str, list[str]]:
    """Return what is wrong, by theme and width; nothing where nothing is."""
    faults = {}
    for width in (1280, 640, 360):  # 640: a window of 1,280 at 200 %
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            faults[f"{scheme} {width}"] = page.evaluate(_CHECK)
    page.set_viewport_size({"width": 1280, "height": 800})
    return {where: found for where, found in faults.items() if found}
