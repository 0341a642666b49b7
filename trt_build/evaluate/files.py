"""Results as files: JSON with everything, CSV and Markdown with the table."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import msgspec

from trt_build.errors import DataError
from trt_build.evaluate.results import Figure, Results
from trt_build.evaluate.table import markdown_of

_PARTS = ("", "_low", "_high", "_gain", "_gain_low", "_gain_high")


def write_json(results: Results, path: Path) -> None:
    """Write everything as indented JSON; a figure that is not a number becomes null.

    Raises:
        DataError: the file cannot be written.
    """
    write(path, lambda: path.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"))


def write_csv(results: Results, path: Path) -> None:
    """Write a line for each row and six columns for each figure: value, interval, gain over the baseline, its interval.

    Raises:
        DataError: the file cannot be written.
    """
    keys = [column.key for column in results.columns]

    def table() -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["inputs", "low_px", "scale", "method", *(key + part for key in keys for part in _PARTS)])
            for row in results.rows:
                cells = [cell for key in keys for cell in _cells(row.figures.get(key))]
                writer.writerow([row.inputs, row.low_px or "", row.scale, row.method, *cells])

    write(path, table)


def write_markdown(results: Results, path: Path) -> None:
    """Write the table as it is printed.

    Raises:
        DataError: the file cannot be written.
    """
    write(path, lambda: path.write_text(markdown_of(results), encoding="utf-8"))


def write(path: Path, how: Callable[[], object]) -> None:
    """Write one file of the results, making its folder.

    Raises:
        DataError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        how()
    except OSError as error:
        raise DataError(f"'{path}' cannot be written ({error.strerror}): give another folder to --out.") from None


def _cells(figure: Figure | None) -> list[str]:
    if figure is None:
        return [""] * len(_PARTS)
    low, high = figure.interval or (math.nan, math.nan)
    gain = figure.gain
    gains = (gain.value, gain.low, gain.high) if gain else (math.nan,) * 3
    return ["" if math.isnan(value) else f"{value:.6g}" for value in (figure.value, low, high, *gains)]
