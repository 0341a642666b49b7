from pathlib import Path

import pytest

from engine.desk.beside import at_once
from engine.desk.stored import read_result
from tests.desk.results import Walk, write_result


@pytest.mark.parametrize(
    ("walks", "expected"),
    [
        ([("ann", "", 0), ("bob", "", 1)], [([1], [0])]),
        ([("ann", "", 0), ("bob", "", 1.5)], []),
        ([("ann", "", 0), ("bob", "", 3)], []),
        ([("ann", "", 1), ("bob", "", 0), ("eve", "", 1)], [([0], [1]), ([2], [1, 0])]),
        ([("ann", "", 0)], []),
    ],
)
def test_two_are_beside_each_other_where_they_share_more_than_half_a_second(tmp_path: Path, walks: list[Walk], expected):
    assert list(at_once(read_result(write_result(tmp_path / "one", walks)).tracks)) == expected


def test_a_track_is_not_beside_itself_in_a_copy_of_its_run(tmp_path: Path):
    walks: list[Walk] = [("ann", "", 0), ("bob", "", 1)]
    one, copy = (read_result(write_result(tmp_path / name, walks)).tracks for name in ("one", "copy"))
    assert list(at_once([one[0], copy[0]])) == []
    assert list(at_once([one[0], copy[1]])) == [([1], [0])]


def test_other_streams_and_other_runs_are_other_pictures(tmp_path: Path):
    first = read_result(write_result(tmp_path / "one", [("ann", "", 0)])).tracks
    stream = read_result(write_result(tmp_path / "two", [("bob", "", 0), ("eve", "", 0)], stream="door")).tracks
    run = read_result(write_result(tmp_path / "three", [("bob", "", 0), ("eve", "", 0)], run_id="run2")).tracks
    assert list(at_once([*first, stream[1]])) == list(at_once([*first, run[1]])) == []
