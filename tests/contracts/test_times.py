import msgspec
import pytest

from engine.archive.chain import Block
from engine.archive.reader import face_line, track_line
from engine.contracts.hash_chain import decode, encode
from engine.desk.stored import read_result
from engine.results.columns import face_columns
from tests.results.runs import make_run


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
    assert decode(encode(block), Block) == block
    assert decode(encode(msgspec.structs.replace(block, at_ns=10**21).finished(None)), Block) is None
