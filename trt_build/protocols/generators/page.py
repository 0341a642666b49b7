"""Results as one self-contained page: table, curves, pictures, and how all of it was measured."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from trt_build.optional import require
from trt_build.protocols.generators.curves import figures
from trt_build.protocols.generators.results import Column, Figure, Results, Row, Strip
from trt_build.protocols.generators.samples import groups
from trt_build.protocols.generators.table import gain_text, has_intervals, shown
from trt_build.writing import writable


def check_page() -> None:
    """Check early for packages that the page needs at the end of a long run.

    Raises:
        MissingRuntimeError: Jinja2 or matplotlib is not installed.
    """
    require("jinja2", "Writing the page")
    require("matplotlib", "Drawing DET curves")


def write_page(results: Results, strips: Sequence[Strip], path: Path) -> None:
    """Write the page.

    Raises:
        MissingRuntimeError: Jinja2 or matplotlib is not installed.
        DataError: the file cannot be written.
    """
    text = render(results, strips)
    with writable(path):
        path.write_text(text, encoding="utf-8")


def render(results: Results, strips: Sequence[Strip]) -> str:
    """Return the page as HTML."""
    check_page()
    import jinja2

    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(
        files("trt_build.protocols.generators").joinpath("page.html").read_text(encoding="utf-8")
    )
    return template.render(
        results=results,
        places=_places(results.rows),
        cell=_cell,
        curves=figures(results.curves),
        pictures=groups(strips),
        source=lambda png: "data:image/png;base64," + base64.b64encode(png).decode("ascii"),
        measured_by={paper.title: _of_models(results.rows, paper.measured) for paper in results.papers},
        intervals=has_intervals(results),
    )


def _places(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Return the groups of comparable rows, each with a title."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        size = f", {row.low_px} px" if row.low_px else ""
        found.setdefault(f"{row.inputs}{size}, x{row.scale}", []).append(row)
    return list(found.items())


def _cell(row: Row, column: Column) -> dict[str, str | list[str]]:
    """Return text, small print (gain, its interval) and class of one cell."""
    figure: Figure | None = row.figures.get(column.key)
    if figure is None:
        return {"text": "", "gain": [], "interval": "", "kind": "none"}
    kind = {1: "better", -1: "worse", 0: "same"}[figure.sign * column.better]
    between = "" if figure.interval is None else "95 %: " + " to ".join(f"{end:.{column.digits}f}" for end in figure.interval)
    return {
        "text": shown(figure, column),
        "gain": [part for part in gain_text(figure, column).split(" ", 1) if part],
        "interval": between,
        "kind": kind,
    }


def _of_models(rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    return [row for row in rows if row.method in names and "psnr_db" in row.figures]
