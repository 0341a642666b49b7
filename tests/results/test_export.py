from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from engine.errors import MissingRuntimeError, PublishError
from engine.results import export as exporting
from engine.results.columns import face_columns, track_columns
from engine.results.digits import rounded
from engine.results.export import export, export_vectors, vectors_astray
from tests.results.runs import make_run


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_tracks_are_their_last_words_and_interim_ones_the_others(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    out = io.BytesIO()
    assert export(run, "tracks", "csv", out) == 2
    rows = _rows(out.getvalue())
    assert [(row["track_id"], row["ended"], row["name"]) for row in rows] == [
        ("1", "true", "Eileen Collins"),
        ("2", "true", ""),
    ]
    assert rows[1]["best_identity"] == "Eileen Collins"
    assert float(rows[0]["first_pts_seconds"]) == 0.4
    assert rows[0]["vector_row"]
    out = io.BytesIO()
    assert export(run, "interim", "csv", out) == 2
    assert {row["ended"] for row in _rows(out.getvalue())} == {"false"}


def test_faces_have_their_boxes_and_files(tmp_path: Path) -> None:
    out = io.BytesIO()
    assert export(make_run(tmp_path).run, "faces", "csv", out) == 3
    row = _rows(out.getvalue())[0]
    assert [float(row[f"box_{side}"]) for side in ("x", "y", "width", "height")] == [26, 10, 12, 16]
    assert row["enhanced_file"].startswith("faces/door/1/")
    assert json.loads(row["candidates"])[0]["identity"] == "Eileen Collins"


def test_a_name_is_no_formula(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    for name in ("tracks.jsonl", "faces.jsonl"):
        path = made.run.directory / name
        path.write_text(path.read_text().replace("Eileen Collins", "=HYPERLINK(1)"))
    out = io.BytesIO()
    export(made.run, "tracks", "csv", out)
    row = _rows(out.getvalue())[0]
    assert (row["name"], row["best_identity"]) == ("'=HYPERLINK(1)", "'=HYPERLINK(1)")


def test_lines_are_those_of_the_directory(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    out = io.BytesIO()
    assert export(run, "faces", "jsonl", out) == 3
    lines = [json.loads(line) for line in (run.directory / "faces.jsonl").read_text().splitlines()]
    assert [json.loads(line) for line in out.getvalue().splitlines()] == lines


def test_what_is_written_as_text_has_the_digits_that_mean_something(tmp_path: Path) -> None:
    made, out = make_run(tmp_path, {1: ("known", [1 / 3])}), io.BytesIO()
    export(made.run, "tracks", "csv", out)
    (row,) = _rows(out.getvalue())
    assert row["first_pts_seconds"] == "0.333"
    for name, text in row.items():
        if "cosine" in name and text:
            assert re.fullmatch(r"-?[01]\.[0-9]{4}", text), (name, text)
    assert all(
        len(text.lstrip("-0.").replace(".", "")) <= 10 for name, text in row.items() if re.fullmatch(r"-?[0-9]*\.[0-9]+", text)
    )
    lines = io.BytesIO()
    export(made.run, "tracks", "jsonl", lines)
    candidates = json.loads(lines.getvalue())["candidates"]
    assert json.loads(row["candidates"]) == rounded(candidates), "one rule, however deep a number lies"


def test_a_number_of_32_bits_comes_without_the_noise_of_64() -> None:
    noisy = float(np.float32(0.935))
    candidate = {"cosine_original": noisy, "log10_lr": noisy, "identity": "Ada"}
    assert rounded({"candidates": [candidate], "score": noisy, "seq": 7}) == {
        "candidates": [{"cosine_original": 0.935, "log10_lr": 0.94, "identity": "Ada"}],
        "score": 0.935,
        "seq": 7,
    }


def test_parquet_has_the_same_rows_with_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    run = make_run(tmp_path).run
    with (tmp_path / "faces.parquet").open("wb") as file:
        assert export(run, "faces", "parquet", file) == 3
    table = parquet.read_table(tmp_path / "faces.parquet")
    assert table.column_names == [column.name for column in face_columns()]
    assert table["pts_seconds"].to_pylist() == [0.4, 1.2, 0.8]
    assert table["quality_damaged"].to_pylist() == [False] * 3


def test_parquet_has_all_digits_also_in_what_is_a_text_there(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    run, lines = make_run(tmp_path, {1: ("known", [1 / 3])}).run, io.BytesIO()
    written = run.directory / "tracks.jsonl"
    written.write_bytes(written.read_bytes().replace(b":0.73,", b":0.7312345,"))
    export(run, "tracks", "jsonl", lines)
    with (tmp_path / "tracks.parquet").open("wb") as file:
        export(run, "tracks", "parquet", file)
    candidates = json.loads(lines.getvalue())["candidates"]
    assert candidates != rounded(candidates)
    (told,) = parquet.read_table(tmp_path / "tracks.parquet")["candidates"].to_pylist()
    assert json.loads(told) == candidates


def test_without_pyarrow_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "find_spec", lambda name: None)
    with pytest.raises(MissingRuntimeError, match=r"facestream\[parquet\]"):
        exporting.check_form("parquet")
    exporting.check_form("csv")


def test_columns_have_one_name_each() -> None:
    for columns in (face_columns(), track_columns()):
        names = [column.name for column in columns]
        assert len(names) == len(set(names))
        assert names[:4] == ["stream", "track_id", "name", "decision"]


def test_vectors_have_keys(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    ((path, count, length),) = export_vectors(run, "faces", tmp_path / "faces.npy")
    assert (count, length) == (3, 128)
    rows = np.load(path)
    assert rows.dtype == np.float32
    (expected,) = run.face_vectors()
    np.testing.assert_array_equal(rows, expected.rows)
    keys = _rows((tmp_path / "faces.keys.csv").read_bytes())
    assert [(key["row"], key["stream"], key["track_id"], key["seq"]) for key in keys] == [
        ("0", "door", "1", "0"), ("1", "door", "1", "1"), ("2", "door", "2", "2"),
    ]  # fmt: skip
    ((_, count, _),) = export_vectors(run, "tracks", tmp_path / "tracks.npy")
    assert count == 2


def test_vectors_of_two_lengths_go_to_two_files(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    path = run.directory / "faces.jsonl"
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text(first.replace("embeddings_128.f32", "embeddings_2.f32") + "".join(others))
    (run.directory / "embeddings_2.f32").write_bytes(np.array([0.6, 0.8], "<f4").tobytes())
    written = export_vectors(run, "faces", tmp_path / "v.npy")
    assert sorted((file.name, count, length) for file, count, length in written) == [("v-128.npy", 2, 128), ("v-2.npy", 1, 2)]


def test_vectors_that_are_deleted_meanwhile_leave_no_array_that_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path).run
    looks = iter([list(run.faces()), list(run.faces())[:2]])
    monkeypatch.setattr(exporting, "lines_of", lambda *_: iter(next(looks)))
    with pytest.raises(PublishError, match="were deleted while they were read: export them again"):
        export_vectors(run, "faces", tmp_path / "v.npy")
    assert not list(tmp_path.glob("v.*"))


def test_a_run_without_vectors_gives_none(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    (run.directory / "embeddings_128.f32").write_bytes(b"")
    assert export_vectors(run, "faces", tmp_path / "v.npy") == []
    assert not (tmp_path / "v.npy").exists()


def test_a_vector_that_lies_nowhere_is_left_out_and_counted(tmp_path: Path) -> None:
    run = make_run(tmp_path).run
    path = run.directory / "faces.jsonl"
    first, *others = path.read_text().splitlines(keepends=True)
    path.write_text(first.replace("embeddings_128.f32", "../../x") + "".join(others))
    ((_, count, _),) = export_vectors(run, "faces", tmp_path / "v.npy")
    assert (count, vectors_astray(run, "faces"), vectors_astray(run, "tracks")) == (2, 1, 0)
