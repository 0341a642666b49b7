"""Tables of figures."""

import json

import pytest
from rich.console import Console

from trt_build.errors import DataError
from trt_build.protocols.tables import TextTable, table_of, turned, write_json

ROWS = {"one.mkv": {"recall": 0.98765, "points": 12.0}, "all": {"recall": 1 / 3, "points": 0.5}}


def test_a_table_has_a_line_for_each_row():
    table = table_of(ROWS, "clip", ".3g")
    assert table.markdown() == [
        "| clip | recall | points |",
        "| --- | --- | --- |",
        "| one.mkv | 0.988 | 12 |",
        "| all | 0.333 | 0.5 |",
    ]
    console = Console(width=60)
    with console.capture() as said:
        console.print(TextTable(table.headings, table.rows, "clips kept apart").on_terminal())
    lines = said.get().split("\n")
    assert lines[0].strip() == "clips kept apart"
    assert [line.split() for line in lines[1:4]] == [
        ["clip", "recall", "points"],
        ["one.mkv", "0.988", "12"],
        ["all", "0.333", "0.5"],
    ]


def test_rows_and_columns_are_exchanged():
    assert turned(ROWS) == {"recall": {"one.mkv": 0.98765, "all": 1 / 3}, "points": {"one.mkv": 12.0, "all": 0.5}}
    assert turned(turned(ROWS)) == ROWS
    assert turned({}) == {}


def test_a_figure_that_is_no_number_is_null_in_json(tmp_path):
    write_json({"a": float("nan"), "b": 0.5}, tmp_path / "new" / "figures.json")
    assert json.loads((tmp_path / "new" / "figures.json").read_text()) == {"a": None, "b": 0.5}
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        write_json({}, tmp_path / "file" / "figures.json")
