"""A finished run as tables and arrays for other programs. Memory does not grow with the run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec
import numpy as np

from engine.archive.reader import FaceLine
from engine.client.results import Run
from engine.errors import MissingRuntimeError, PublishError
from engine.results.columns import Column, Kind, Line, face_columns, said, track_columns
from engine.results.digits import rounded, written
from engine.whole_file import replacing
from engine.words.csv_cells import csv_cell

Rows = Literal["tracks", "faces", "interim"]
"""The last word on each track; each face; or all that was said of tracks before the last word."""
Form = Literal["csv", "parquet", "jsonl"]
_GROUP = 10_000
"""Rows that go to a Parquet file at once."""


def lines_of(run: Run, rows: Rows) -> Iterator[Line]:
    """Yield the lines of a kind, as far as they can be read.

    Raises:
        PublishError: the file cannot be read.
    """
    if rows == "faces":
        return run.faces()
    return run.tracks() if rows == "tracks" else (line for line in run.track_messages() if not line.track.ended)


def export(run: Run, rows: Rows, form: Form, out: BinaryIO) -> int:
    """Write a table; return how many rows it has.

    Args:
        run: the run.
        rows: what a row is.
        form: ``csv`` with a head and the digits that mean something, what looks like a formula made harmless; ``jsonl``: a
            message and its files a line, and ``parquet``, which needs the extra ``parquet``, with all digits.
        out: where to, in order.

    Raises:
        MissingRuntimeError: ``pyarrow`` is missing.
        PublishError: a file of the run cannot be read.
        OSError: it cannot be written.
    """
    lines, columns = lines_of(run, rows), face_columns() if rows == "faces" else track_columns()
    writers: dict[Form, Callable[[], int]] = {
        "csv": lambda: _csv(lines, columns, out),
        "jsonl": lambda: _jsonl(lines, out),
        "parquet": lambda: _parquet(lines, columns, out),
    }
    return writers[form]()


def check_form(form: Form) -> None:
    """Refuse a form that needs what is not installed.

    Raises:
        MissingRuntimeError: ``pyarrow`` is missing.
    """
    if form == "parquet" and find_spec("pyarrow") is None:
        raise MissingRuntimeError("Parquet needs pyarrow: pip install 'facestream[parquet]'; csv and jsonl need nothing")


def export_vectors(run: Run, rows: Rows, out: Path) -> list[tuple[Path, int, int]]:
    """Write the vectors as NumPy arrays, (n, length) float32, and beside each whose they are, as ``NAME.keys.csv``: row,
    stream, track_id, and of a face its seq and frame_index.

    Args:
        run: the run.
        rows: whose vectors.
        out: the file, ``.npy``; where vectors differ in length one file each, ``NAME-LENGTH.npy``.

    Returns:
        Path, rows and length of each file; none where the run has no vectors.

    Raises:
        PublishError: a file cannot be read or written, or vectors are deleted meanwhile.
    """
    counts: dict[int, int] = {}
    for row in run.vectors_of(lines_of(run, rows)):
        counts[len(row[1])] = counts.get(len(row[1]), 0) + 1
    written = []
    try:
        for length, count in counts.items():
            path = out if len(counts) == 1 else out.with_name(f"{out.stem}-{length}{out.suffix}")
            with replacing(path) as beside, replacing(keys_of(path)) as keys:
                _write_vectors(run, rows, beside, keys, (count, length))
            written.append((path, count, length))
    except OSError as error:
        raise PublishError(f"cannot write {out}: {error.strerror}") from error
    return written


def vectors_astray(run: Run, rows: Rows) -> int:
    """Return how many vectors are said to lie where none can be: ``export_vectors`` leaves them out.

    Raises:
        PublishError: a file cannot be read.
    """
    return sum(line.vector is not None and not run.holds(line.vector) for line in lines_of(run, rows))


def keys_of(path: Path) -> Path:
    """Return the file that says whose the vectors of a file are."""
    return path.with_suffix(".keys.csv")


def _write_vectors(run: Run, rows: Rows, beside: Path, keys: Path, shape: tuple[int, int]) -> None:
    # Not through a mapping: a disk that is full kills who writes to one.
    with beside.open("wb") as array, keys.open("w", newline="", encoding="utf-8") as file:
        np.lib.format.write_array_header_1_0(array, {"descr": "<f4", "fortran_order": False, "shape": shape})
        table = csv.writer(file)
        table.writerow(["row", "stream", "track_id"] + (["seq", "frame_index"] if rows == "faces" else []))
        of_length = (row for row in run.vectors_of(lines_of(run, rows)) if len(row[1]) == shape[1])
        number = 0
        for number, (line, vector) in enumerate(islice(of_length, shape[0]), start=1):
            array.write(np.asarray(vector, "<f4").tobytes())
            message = said(line)
            own = [line.face.seq, line.face.frame_index] if isinstance(line, FaceLine) else []
            table.writerow([number - 1, csv_cell(message.stream), message.track_id, *own])
    if number < shape[0]:
        raise PublishError(f"vectors of {run.directory} were deleted while they were read: export them again")


def _csv(lines: Iterator[Line], columns: list[Column], out: BinaryIO) -> int:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    table, count = csv.writer(text), 0
    try:
        table.writerow([column.name for column in columns])
        for line in lines:
            table.writerow([_cell(column, column.value(line)) for column in columns])
            count += 1
    finally:
        text.detach()
    return count


def _cell(column: Column, value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return written(column.name, value)
    if column.kind == "json":
        value = _as_json(rounded(value))
    return "" if value is None else csv_cell(value)


def _as_json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _jsonl(lines: Iterator[Line], out: BinaryIO) -> int:
    count = 0
    for line in lines:
        count += 1
        extra = {"files": line.files} | ({} if line.vector is None else {"embedding": msgspec.to_builtins(line.vector)})
        out.write(msgspec.json.encode(msgspec.to_builtins(said(line)) | extra) + b"\n")
    return count


def _parquet(lines: Iterator[Line], columns: list[Column], out: BinaryIO) -> int:
    check_form("parquet")
    import pyarrow
    from pyarrow import parquet

    kinds: dict[Kind, Any] = {
        "text": pyarrow.string(), "integer": pyarrow.int64(), "number": pyarrow.float64(), "yes_no": pyarrow.bool_(),
        "json": pyarrow.string(),
    }  # fmt: skip
    schema = pyarrow.schema([(column.name, kinds[column.kind]) for column in columns])
    count = 0
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        while group := list(islice(lines, _GROUP)):
            arrays = [pyarrow.array([_stored(column, line) for line in group], kinds[column.kind]) for column in columns]
            writer.write_table(pyarrow.table(arrays, schema=schema))
            count += len(group)
    return count


def _stored(column: Column, line: Line) -> Any:
    value = column.value(line)
    return _as_json(value) if column.kind == "json" else value
