"""Writes the table of results as CSV and Markdown."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from engine.words.csv_cells import csv_cell
from trt_build.protocols.generators.results import Figure, Results
from trt_build.protocols.generators.table import markdown_of
from trt_build.writing import writable

_PARTS = ("", "_low", "_high", "_gain", "_gain_low", "_gain_high")


def write_csv(results: Results, path: Path) -> None:
    """Write a line for each row and six columns for each figure: value, interval, gain over the baseline, its interval.

    Raises:
        DataError: the file cannot be written.
    """
    keys = [column.key for column in results.columns]
    with writable(path), path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["inputs", "low_px", "scale", "method", *(key + part for key in keys for part in _PARTS)])
        for row in results.rows:
            cells = [cell for key in keys for cell in _cells(row.figures.get(key))]
            writer.writerow([csv_cell(row.inputs), row.low_px or "", row.scale, csv_cell(row.method), *cells])


def write_markdown(results: Results, path: Path) -> None:
    """Write the table as it is printed.

    Raises:
        DataError: the file cannot be written.
    """
    with writable(path):
        path.write_text(markdown_of(results), encoding="utf-8")


def _cells(figure: Figure | None) -> list[str]:
    if figure is None:
        return [""] * len(_PARTS)
    low, high = figure.interval or (math.nan, math.nan)
    gain = figure.gain
    gains = (gain.value, gain.low, gain.high) if gain else (math.nan,) * 3
    return ["" if math.isnan(value) else f"{value:.6g}" for value in (figure.value, low, high, *gains)]
