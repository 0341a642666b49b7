"""Exports the gallery as JSON lines or CSV, for people and other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from engine.errors import GalleryError
from engine.whole_file import replacing
from engine.words.csv_cells import csv_cell


class PictureRow(NamedTuple):
    """One enrolled picture, in the order of the exported columns."""

    identity: str
    source_name: str
    picture_sha256: str
    quality: float
    enrolled_at: str
    embedder: str
    embedder_sha256: str
    runtime: str
    doubt: str
    """Why it was doubtful; empty if it was not."""
    embedding: bytes
    """float32, little-endian."""


def write_pictures(rows: Sequence[PictureRow], path: Path, embeddings: bool) -> int:
    """Write one line for each row; return how many.

    Args:
        rows: what to write.
        path: ``.jsonl`` (vectors as lists) or ``.csv`` (vectors as space-separated numbers); only its owner may read it.
        embeddings: whether to write the vectors.

    Raises:
        GalleryError: the suffix is another one, or the file cannot be written; an existing file is then unchanged.
    """
    writers = {".jsonl": _write_json_lines, ".csv": _write_csv}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise GalleryError(f"cannot export the gallery to {path}: choose a name that ends in {' or '.join(writers)}")
    columns = [name for name in PictureRow._fields if embeddings or name != "embedding"]
    try:
        with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            writer(file, columns, rows)
    except OSError as error:
        raise GalleryError(f"cannot export the gallery to {path}: {error.strerror}") from error
    return len(rows)


def _write_json_lines(file: TextIO, columns: Sequence[str], rows: Sequence[PictureRow]) -> None:
    for row in rows:
        values: dict[str, Any] = {name: getattr(row, name) for name in columns}
        if "embedding" in values:
            values["embedding"] = _vector(row)
        file.write(json.dumps(values, ensure_ascii=False) + "\n")


def _write_csv(file: TextIO, columns: Sequence[str], rows: Sequence[PictureRow]) -> None:
    writer = csv.writer(file)
    writer.writerow(columns)
    for row in rows:
        cells = [csv_cell(getattr(row, name)) for name in columns]
        if columns[-1] == "embedding":
            cells[-1] = " ".join(map(repr, _vector(row)))
        writer.writerow(cells)


def _vector(row: PictureRow) -> list[float]:
    values: list[float] = np.frombuffer(row.embedding, "<f4").tolist()
    return values
