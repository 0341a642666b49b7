"""Formats results as a table, for the terminal or in Markdown."""

from __future__ import annotations

import math

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from trt_build.measures.bootstrap import Interval
from trt_build.protocols.generators.results import Column, Figure, Results
from trt_build.protocols.tables import TextTable

_WORDS = ("input", "px", "scale", "method")
_MARKS = {1: " ▲", -1: " ▼", 0: ""}


def table_of(results: Results) -> Table:
    """Return the table: figures, with marks if the interval of the gain over the baseline excludes 0."""
    table = Table(title=f"{results.protocol}: {results.data.get('source', '')}", caption=_caption_of(results))
    headings, rows = cells_of(results)
    for heading in headings:
        words = heading in _WORDS or heading.startswith("gain")
        table.add_column(heading, justify="left" if words else "right", no_wrap=True)
    place = None
    for row, cells in zip(results.rows, rows, strict=True):
        if place is not None and row.place != place:
            table.add_section()
        place = row.place
        table.add_row(*cells)
    return table


def cells_of(results: Results) -> tuple[list[str], list[list[str]]]:
    """Return the headings, and as many cells for each row."""
    sized = any(row.low_px for row in results.rows)
    headings = ["input", *(["px"] if sized else []), "scale", "method"]
    rows = [[row.inputs, *([str(row.low_px or "")] if sized else []), f"x{row.scale}", row.method] for row in results.rows]
    for column in results.columns:
        figures = [row.figures.get(column.key) for row in results.rows]
        headings.append(column.heading)
        for cells, figure in zip(rows, figures, strict=True):
            cells.append(shown(figure, column))
        if column.gain_shown and any(_gain(figure) for figure in figures):
            headings.append("gain [95 %]" if has_intervals(results) else "gain")
            for cells, figure in zip(rows, figures, strict=True):
                cells.append(gain_text(figure, column))
    return headings, rows


def markdown_of(results: Results) -> str:
    """Return the same table in Markdown, with its caption."""
    headings, rows = cells_of(results)
    facts = ", ".join(f"{name} {value}" for name, value in results.data.items())
    return "\n".join([*TextTable(headings, rows).markdown(), "", f"{_caption_of(results)}. {facts}.", ""])


def has_intervals(results: Results) -> bool:
    """Whether gains have intervals, so that some can exclude 0."""
    gains = (_gain(figure) for row in results.rows for figure in row.figures.values())
    return any(gain is not None and not math.isnan(gain.low) for gain in gains)


def print_table(results: Results, console: Console) -> None:
    """Print the table at its full width: a narrow terminal wraps its lines, but no figure is cut."""
    table = table_of(results)
    needed = Measurement.get(console, console.options.update(width=1000, max_width=1000), table).maximum
    colour = console.color_system if console.is_terminal else None
    Console(file=console.file, width=max(console.width, needed), color_system=colour).print(table)  # type: ignore[arg-type]


def shown(figure: Figure | None, column: Column) -> str:
    """Return the value with its mark: up if it is significantly better than the baseline, down if worse."""
    if figure is None or math.isnan(figure.value):
        return ""
    return f"{figure.value:.{column.digits}f}{_MARKS[figure.sign * column.better]}"


def gain_text(figure: Figure | None, column: Column) -> str:
    """Return the gain and its interval; empty if there is none."""
    gain = _gain(figure)
    if gain is None or math.isnan(gain.value):
        return ""
    digits = column.digits
    between = "" if math.isnan(gain.low) else f" [{gain.low:+.{digits}f}, {gain.high:+.{digits}f}]"
    return f"{gain.value:+.{digits}f}{between}"


def _gain(figure: Figure | None) -> Interval | None:
    return figure.gain if figure else None


def _caption_of(results: Results) -> str:
    """Return what the marks and gains mean."""
    if has_intervals(results):
        return f"▲ better, ▼ worse than {results.baseline}: the 95 % interval of the paired difference excludes 0"
    return f"gains are over {results.baseline}"
