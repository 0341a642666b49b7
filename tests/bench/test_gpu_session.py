"""The bench of faces/s on a GPU, on a CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.gpu_session import COLUMNS, main


def test_what_is_not_there_is_named_and_the_rest_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.jsonl"
    asked = "--device cpu --precision float8,int8,float32 --batches 1,2 --threads 2 --seconds 0.01 --json"
    main([*asked.split(), str(rows)])
    found = [json.loads(line) for line in rows.read_text().splitlines()]
    assert [row["precision"] for row in found] == ["float8", "int8", "float32", "float32"]
    assert "onnxruntime does not compute in float8" in found[0]["failed"]
    assert "run `trt-build build compact_fine_x4 --target onnxruntime --precision int8" in found[1]["failed"]
    assert all(row[column] > 0 for row in found[2:] for column in COLUMNS)
    said = capsys.readouterr().out
    assert found[1]["failed"] in said
    assert said.count("faces/s") == 2
