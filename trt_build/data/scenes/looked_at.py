"""Tables of boxes that somebody inspected, and the correction of labels by them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.shipped import shipped
from trt_build.data.scenes.geometry import overlaps
from trt_build.data.scenes.teacher import Labelled
from trt_build.errors import DataError

WORDS = ("face", "doubtful", "none")
_SAME_LABEL_IOU = 0.8
Row = dict[str, str]
Rows = dict[str, list[Row]]
"""Rows by the name of their picture."""


def rows_of(table: Path) -> list[Row]:
    """Return the rows of a table of boxes; tables that ship with the recipes are found beside them.

    Raises:
        DataError: it cannot be read, or a row has no file, x, y, w and h.
    """
    if not table.exists() and (own := shipped("train") / table.name).exists():
        table = own
    try:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise DataError(f"The table '{table}' cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"The table '{table}' cannot be read: {error}.") from None
    for number, row in enumerate(rows, 2):
        try:
            row["file"], boxes_of([row])
        except (KeyError, TypeError, ValueError):
            raise DataError(
                f"The table '{table}', line {number}: give file, x, y, w and h; all but the file are numbers."
            ) from None
    return rows


def verdicts(table: str) -> dict[str, Rows]:
    """Return the rows of a table by verdict, one of ``WORDS``, and by picture; empty if there is no table.

    Raises:
        DataError: it cannot be read, or a verdict is another word.
    """
    found: dict[str, list[Row]] = {word: [] for word in WORDS}
    for number, row in enumerate(rows_of(Path(table)) if table else (), 2):
        if row.get("is") not in found:
            raise DataError(f"The table '{table}', line {number}: 'is' must be one of {', '.join(WORDS)}.")
        found[row["is"]].append(row)
    return {word: by_file(rows) for word, rows in found.items()}


def by_file(rows: Sequence[Row]) -> Rows:
    """Return rows by the name of their picture."""
    found: Rows = {}
    for row in rows:
        found.setdefault(row["file"], []).append(row)
    return found


def boxes_of(rows: Sequence[Row]) -> Float32:
    """Return the boxes (N, 4) of rows: x, y, width, height."""
    return np.array([[float(row[key]) for key in "xywh"] for row in rows], np.float32).reshape(-1, 4)


def put_right(labelled: Labelled, none: Sequence[Row], doubtful: Sequence[Row], faces: Sequence[Row] = ()) -> Labelled:
    """Return a picture with labels corrected by inspected boxes; a face that had no label gets no landmarks."""
    refused, doubted, seen = boxes_of(none), boxes_of(doubtful), boxes_of(faces)
    kept = _away(labelled.boxes, np.concatenate([refused, doubted]))
    boxes, points = labelled.boxes[kept], labelled.points[kept]
    more = seen[_away(seen, boxes)]
    unsure = labelled.unsure[_away(labelled.unsure, np.concatenate([refused, doubted, seen]))]
    return replace(
        labelled,
        boxes=np.concatenate([boxes, more]),
        points=np.concatenate([points, np.full((len(more), 5, 2), np.nan, np.float32)]),
        unsure=np.concatenate([unsure, doubted]),
    )


def _away(boxes: Float32, others: Float32) -> NDArray[np.bool_]:
    """Return which boxes match none of the others."""
    return ~np.asarray((overlaps(boxes, others) >= _SAME_LABEL_IOU).any(axis=1))
