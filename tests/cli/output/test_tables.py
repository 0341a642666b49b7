"""Tables in terminals of all widths."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from engine.cli.gallery.pictures import say_list
from engine.cli.output.tables import Column, Rows
from engine.cli.run.table import end_table, failed_table
from engine.cli.service.ctl_tables import _streams_table
from engine.config import SourceConfig
from engine.contracts.streams import StreamChanged
from engine.control.answers import Funnel, Stream
from engine.verify.gallery.records import Kept
from tests.cli.statuses import fail, status_of

WIDTHS = [200, 100, 80, 60, 40]
NAMES = ("entrance-north-2026-11-29", "a_rather_long_name_of_a_parking_garage", "door")


def drawn(width: int, *things: object) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(*things)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def words_of(lines: list[str]) -> set[str]:
    return {word.strip("│┃,:") for line in lines for word in line.split()}


@pytest.mark.parametrize("width", WIDTHS)
def test_no_word_and_no_number_is_broken(width):
    """At 80 columns "undecided" stood there as "undec" and "ided"."""
    columns = [Column("stream"), Column("decision", "word"), Column("cosine", "number"), Column("why", "sentence")]
    rows = [(name, "undecided", "0.6183", "the face is too small to tell two people apart") for name in NAMES]
    lines = drawn(width, Rows(columns, rows))
    assert {*NAMES, "undecided", "0.6183", "apart"} <= words_of(lines)
    assert max(map(cell_len, lines)) <= width


def test_a_sentence_has_a_column_that_can_be_read():
    """Reasons of refusals stood in a column of 12 characters."""
    reason = "the face looks like somebody else: its cosine with Ada Lovelace is 0.71"
    columns = [Column("picture", "word"), Column("name"), Column("reason", "sentence"), Column("when", "word")]
    rows = [("3fa91c22", "Nguyen Van Long", reason, "2026-11-29 10:00")]
    wide, narrow = drawn(80, Rows(columns, rows)), drawn(60, Rows(columns, rows))
    assert len([line for line in wide if line.startswith("│")]) <= 3
    assert narrow == [
        "3fa91c22", "  name Nguyen Van Long, when 2026-11-29 10:00",
        "  reason: the face looks like somebody else: its cosine with", "  Ada Lovelace is 0.71",
    ]  # fmt: skip


def test_where_there_is_no_room_each_row_is_a_block_without_what_is_empty():
    columns = [Column("stream"), Column("end"), Column("frames", "number"), Column("faces", "number")]
    rows = [("entrance", Text("live", "green"), "250", "3"), ("door", "", "0", "")]
    blocks = drawn(24, Rows(columns, rows, title="2 cameras", caption="all"))
    assert blocks == ["2 cameras", "entrance", "  end live, frames 250,", "  faces 3", "door", "  frames 0", "all"]


def test_a_path_that_fits_nowhere_is_folded_in_a_table():
    lines = drawn(80, Rows([Column("picture"), Column("outcome", "word")], [("photograph-" * 15, "refused")]))
    assert lines[1].startswith("┃ picture")
    assert max(map(cell_len, lines)) <= 80


def streams() -> list[Stream]:
    return [
        Stream(
            name=name, source=SourceConfig(uri=f"rtsp://192.0.2.{number}/Streaming/Channels/101"), state="connecting",
            reason="network", detail="192.0.2.1 cannot be reached: No route to host", seconds_in_state=3.0, fps=25.0,
            faces=1234, dropped=56789, latency_p99_ms=131.0, width_px=1920, height_px=1080, funnel=Funnel(),
        )
        for number, name in enumerate(NAMES)
    ]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_of_runs_and_services_fit(width):
    status = status_of(*NAMES)
    fail(status, NAMES[0])
    status.take_event(StreamChanged(NAMES[1], "ended", "end_of_file"))
    found = list(status.streams.values())
    for table in (end_table(found), failed_table(found), _streams_table(streams())):
        lines = drawn(width, table)
        assert set(NAMES) <= words_of(lines)
        assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_tables_of_the_gallery_fit(width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    kept = Kept(
        identity="Augusta Ada King-Noel, Countess of Lovelace", source_name="IMG_20261129_100000.jpg",
        picture_sha256="3fa91c22" * 8, quality=0.71, at="2026-11-29T10:00:00Z", doubt="shows little detail for its size",
        embedder="dlib", embedder_sha256="ab" * 32,
    )  # fmt: skip
    say_list([kept, kept], "set apart in gallery.sqlite", "it")
    lines = capsys.readouterr().out.splitlines()
    assert {"Countess", "IMG_20261129_100000.jpg", "3fa91c22", "detail"} <= words_of(lines)
    assert lines[-1] == "2 pictures set apart in gallery.sqlite"


def test_a_long_cell_beside_another_is_not_cut():
    """At 80 columns "asl_eat_long_stream/1" lost its number: rich takes from the widest column, whatever its words need."""
    tracks = ", ".join(f"asl_eat_long_stream/{number}" for number in range(1, 6))
    columns = [Column("id", "word"), Column("name"), *(Column(title, "number") for title in ("tracks", "faces", "px"))]
    rows = [("P-PYQQS5H", "Cid the Administrator", "5", "14", "50", "0:20.0", tracks)]
    for width in range(40, 200):
        lines = drawn(width, Rows([*columns, Column("first seen", "word"), Column("where")], rows))
        assert words_of(lines) >= {f"asl_eat_long_stream/{number}" for number in range(1, 6)} | {"Administrator"}, width


@pytest.mark.parametrize("width", range(30, 86, 7))
def test_an_entry_of_a_block_is_not_broken_in_its_middle(width):
    """At 80 columns "first seen" stood at the end of one line, and the time at the beginning of the next."""
    columns = [Column("id", "word"), *(Column(title) for title in ("name", "first seen", "last seen", "decided by"))]
    cells = ("P-PYQQS5H", "Ada Lovelace", "00:00:01.0", "00:00:05.0", "four faces")
    lines = drawn(width, Rows([*columns, Column("why", "sentence")], [(*cells, "word " * 40)]))
    for column, cell in zip(columns[1:], cells[1:], strict=True):
        assert any(f"{column.title} {cell}" in line for line in lines), lines
    assert max(map(cell_len, lines)) <= width


def test_very_many_rows_are_bare_columns_and_nothing_of_them_is_lost():
    """50,000 people took a quarter of a minute to be listed."""
    names = ["Ada", "\u738b\u5c0f\u660e", *(f"visitor {number}" for number in range(2_000))]
    columns = [Column("name"), Column("pictures", "number"), Column("when", "word")]
    many = drawn(60, Rows(columns, [(name, "12", "2026-01-01 00:00") for name in names], title="all", caption="no more"))
    assert (many[0], many[-1], len(many)) == ("all", "no more", len(names) + 3)
    assert many[1].split() == ["name", "pictures", "when"]
    assert {cell_len(line) for line in many[2:-1]} == {cell_len(many[2])}
    assert [line.split("  ")[0] for line in many[2:-1]] == names
    for width, first in ((24, "Ada"), (60, "Ada\n")):
        shown = drawn(width, Rows(columns, [(first if name == "Ada" else name, "12", "2026-01-01") for name in names]))
        assert words_of(shown) > {"Ada", "visitor", "1999", "2026-01-01"}


def test_a_cell_steers_no_terminal_and_is_no_markup():
    rows = [("\x1b[31mred\n[/b]", "\x07")]
    lines = drawn(60, Rows([Column("name"), Column("why")], rows))
    assert {"\\x1b[31mred", "[/b]", "\\x07"} <= words_of(lines)
