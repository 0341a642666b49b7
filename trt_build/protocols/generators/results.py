"""The results of an evaluation: one table for any protocol, and the sources of its figures."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from trt_build.measures.bootstrap import Interval, interval

Drawn = NDArray[np.float64]
"""(1 + rounds,): a figure, then the same figure over each draw of the bootstrap."""


class Column(msgspec.Struct, frozen=True):
    """One figure of the table."""

    key: str
    heading: str
    digits: int
    better: int
    """1: more is better, -1: less is, 0: neither by itself."""
    about: str
    """What it is, in one sentence."""
    gain_shown: bool = False
    """Whether the terminal shows the gain with its interval, not only its sign."""


class Figure(msgspec.Struct, frozen=True):
    """One cell."""

    value: float
    interval: tuple[float, float] | None = None
    """95 % over people."""
    gain: Interval | None = None
    """Gain over the baseline on the same inputs and draws."""

    @property
    def sign(self) -> int:
        """1 or -1 if the interval of the gain excludes 0, otherwise 0."""
        return self.gain.sign if self.gain else 0


class Row(msgspec.Struct, frozen=True):
    """One method on one kind of input."""

    inputs: str
    """The kind of input, such as `clean`, or the name of a data set."""
    low_px: int | None
    """Side of the input, if all inputs have the same."""
    scale: int
    method: str
    figures: dict[str, Figure]
    """Figures by the key of the column; those that do not apply are absent."""

    @property
    def place(self) -> tuple[str, int | None, int]:
        """Key that comparable rows share."""
        return (self.inputs, self.low_px, self.scale)


class MethodNote(msgspec.Struct, frozen=True):
    """Which implementation or model file a name in the table stands for."""

    name: str
    scale: int
    about: str
    sha256: str


class Curve(msgspec.Struct, frozen=True):
    """A DET curve."""

    inputs: str
    low_px: int
    scale: int
    gallery: str
    method: str
    fmr: list[float]
    fnmr: list[float]


class PaperRow(msgspec.Struct, frozen=True):
    """One line of a paper's table, each cell as printed; empty: not given."""

    method: str
    psnr: str
    ssim: str
    lpips: str = ""
    accuracy: str = ""


class Paper(msgspec.Struct, frozen=True):
    """A paper's own figures, and whether and why they are comparable with ours."""

    title: str
    citation: str
    table: str
    models: tuple[str, ...]
    """Names of our models that rebuild it, without the scale."""
    rows: tuple[PaperRow, ...]
    compares: str
    measured: list[str] = []
    """Those of our models that were measured in this run."""


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """All results but the pictures."""

    protocol: str
    baseline: str
    about: list[str]
    """How it was measured, in sentences."""
    columns: list[Column]
    rows: list[Row]
    methods: list[MethodNote]
    data: dict[str, str | int]
    versions: dict[str, str]
    curves: list[Curve] = []
    papers: list[Paper] = []


class Sample(msgspec.Struct, frozen=True):
    """One picture of a strip: its caption and its PNG."""

    caption: str
    png: bytes
    is_input: bool = False


class Strip(msgspec.Struct, frozen=True):
    """Pictures of one input side by side: input, methods, truth."""

    inputs: str
    """Title of its group."""
    name: str
    samples: list[Sample]


def figure(drawn: Drawn, base: Drawn | None = None) -> Figure:
    """Return a cell from its draws, with the paired gain if the baseline's draws are given."""
    found = interval(drawn)
    between = None if math.isnan(found.low) else (found.low, found.high)
    return Figure(found.value, between, None if base is None else interval(drawn - base))


def rows_of(drawn: dict[str, dict[str, Drawn]], base: str, place: tuple[str, int | None, int]) -> list[Row]:
    """Return a row for each method from the draws of its figures by key; gains over ``base``."""
    inputs, low_px, scale = place
    rows = []
    for method, figures in drawn.items():
        over = drawn[base] if method != base else {}
        cells = {key: figure(values, over.get(key)) for key, values in figures.items()}
        rows.append(Row(inputs, low_px, scale, method, cells))
    return rows


def present(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Return the columns for which some row has a figure."""
    return [column for column in columns if any(column.key in row.figures for row in rows)]
