"""The gallery as text for other programs, of which one may take a name for a formula."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from engine.verify.gallery.export import PictureRow, write_pictures

VECTOR = np.array([-0.5, 0.25], "<f4")


def row(name: str) -> PictureRow:
    return PictureRow(name, f"{name}.jpg", "ab", 0.5, "2026-01-01", "dlib", "cd", "onnxruntime", "", VECTOR.tobytes())


@pytest.mark.parametrize("name", ["=1+1", "+49 170", "-Ada", "@SUM(A1)", "\tAda", "\rAda", '=HYPERLINK("http://x","y")'])
def test_no_name_is_a_formula_in_a_spreadsheet(tmp_path: Path, name: str):
    rows = [row(name), row("Ada = Countess - @home")]
    for ending in ("csv", "jsonl"):
        assert write_pictures(rows, tmp_path / f"people.{ending}", True) == 2
    with (tmp_path / "people.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    lines = [json.loads(line) for line in (tmp_path / "people.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [cell["identity"] for cell in cells] == [f"'{name}", "Ada = Countess - @home"]
    assert [cell["source_name"] for cell in cells] == [f"'{name}.jpg", "Ada = Countess - @home.jpg"]
    assert [line["identity"] for line in lines] == [name, "Ada = Countess - @home"]
    assert [cell["embedding"] for cell in cells] == ["-0.5 0.25"] * 2, "numbers stay numbers"
