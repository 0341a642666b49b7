import re
from pathlib import Path

import msgspec
import pytest

import engine
from engine.archive.chain import Block, decode, encode
from engine.archive.reader import face_line, track_line
from engine.contracts.times import clock, utc, utc_words, wall_clock
from engine.desk.stored import read_result, when
from engine.results.columns import face_columns
from tests.results.runs import make_run


def test_a_time_is_written_in_utc():
    assert utc_words(1_795_960_565_348_883_260) == "2026-11-29 13:56:05 UTC"
    assert utc(1_795_960_565_348_883_260).isoformat(timespec="milliseconds") == "2026-11-29T13:56:05.348+00:00"
    assert utc_words(-1) == "1969-12-31 23:59:59 UTC"


@pytest.mark.parametrize("at_ns", [2**63 - 1, -(2**63), 10**21, -(10**400)])
def test_no_time_is_out_of_the_range_of_who_writes_it(at_ns):
    assert utc_words(at_ns)[:4] in ("1677", "2262")
    assert when(at_ns, 0.0)[:4] in ("1677", "2262")
    assert wall_clock(at_ns)[:4] in ("1677", "2262")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("recorded_ns", 10**21), ("captured_ns", -(10**21)), ("pts_seconds", 1e300), ("pts", 2**64), ("time_base", [2**70, 1]),
        ("track_id", 2**63), ("seq", 10**400), ("sent_ns", 10**21),
    ],
)  # fmt: skip
def test_a_line_with_a_time_or_number_that_none_computes_with_cannot_be_read(tmp_path, name, value):
    run = make_run(tmp_path).run
    path = run.directory / "faces.jsonl"
    first, *others = path.read_bytes().splitlines(keepends=True)
    wrong = msgspec.json.encode(msgspec.json.decode(first) | {name: 0}).replace(
        f'"{name}":0'.encode(), f'"{name}":{str(value).replace("+", "")}'.encode()
    )
    path.write_bytes(b"".join([wrong + b"\n", *others]))
    assert face_line(first) is not None
    assert face_line(wrong) is None
    assert len(list(run.faces())) == len(others)
    if name not in ("seq", "sent_ns", "pts", "time_base"):
        assert len(read_result(run.directory).faces) == len(others)
    assert [[column.value(line) for column in face_columns()] for line in run.faces()]


def test_so_it_is_with_a_track_and_a_block(tmp_path):
    run = make_run(tmp_path).run
    line = msgspec.json.decode((run.directory / "tracks.jsonl").read_bytes().splitlines()[-1])
    assert track_line(msgspec.json.encode(line)) is not None
    for name in ("first_recorded_ns", "last_pts_seconds", "track_id"):
        assert track_line(msgspec.json.encode(line | {name: 1.5e19})) is None
    block = Block(number=0, at_ns=5, kind="begun", before="0" * 64).finished(None)
    assert decode(encode(block)) == block
    assert decode(encode(msgspec.structs.replace(block, at_ns=10**21).finished(None))) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00.0"),
        (59.96, "00:01:00.0"),
        (3661.25, "01:01:01.2"),
        (360000, "100:00:00.0"),
        (-1.08, "-00:00:01.1"),
        (-0.01, "00:00:00.0"),
    ],
)
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_a_time_is_put_in_words_in_one_place() -> None:
    """A table, a page and a document that show one moment in three ways make people compare them by hand."""
    root = Path(engine.__file__).parent
    own = re.compile(r"//\s*36000|%H:%M:%S|pts_seconds:[.0-9]*\.[0-9]f\}")
    found = {path.relative_to(root).as_posix() for path in root.rglob("*.py") if own.search(path.read_text(encoding="utf-8"))}
    assert found == {"contracts/times.py", "web/tokens.py", "keys/folder.py"}, "the last two for programs: RFC 3339"
