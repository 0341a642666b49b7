from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.archive.backwards import _BLOCK_BYTES, LONGEST_LINE_BYTES, lines_backwards
from engine.archive.expiry import empty


def forwards(path: Path) -> list[tuple[int, bytes]]:
    found, at = [], 0
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n") and line != b"\n":
            found.append((at, line))
        at += len(line)
    return found


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"a", b"a\n", b"\n\na\n", b"a\nb\nc\n", b"a\nb\ntorn", b"a\n\nb\n",
        b"x" * (_BLOCK_BYTES - 1) + b"\n" + b"y\n", b"x" * _BLOCK_BYTES + b"\ny\n", b"x" * (3 * _BLOCK_BYTES) + b"\ny\nz",
        b"".join(b"%d\n" % number * (number % 7) for number in range(7_000)),
    ],
)  # fmt: skip
def test_it_is_what_reading_forwards_gives_the_other_way_round(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(content)
    assert list(lines_backwards(path)) == forwards(path)[::-1]


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"".join(b'{"n":%d}\n' % number for number in range(5000)))
    found, end = [], None
    while True:
        some = [next(lines_backwards(path, end), (0, b""))]
        if not some[0][1]:
            break
        found.append(some[0])
        end = some[0][0]
        if len(found) > 50:
            break
    assert found == forwards(path)[::-1][:51]


def test_no_file_has_no_lines_and_a_folder_is_an_error(tmp_path: Path) -> None:
    assert list(lines_backwards(tmp_path / "none")) == []
    with pytest.raises(IsADirectoryError):
        list(lines_backwards(tmp_path))


def test_what_was_emptied_is_no_line(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    lines = [b'{"n":%d, "x": "%b"}\n' % (number, b"y" * 500) for number in range(1000)]
    path.write_bytes(b"".join(lines))
    kept = sum(map(len, lines[:600]))
    empty(path, kept)
    assert [line for _, line in lines_backwards(path)] == lines[600:][::-1]


def test_a_line_without_an_end_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with path.open("wb") as file:
        file.write(b"first\n" + b"x" * (LONGEST_LINE_BYTES + 2 * _BLOCK_BYTES) + b"\nlast\n")
    assert [line for _, line in lines_backwards(path)] == [b"last\n"]
    os.truncate(path, 3)
    assert list(lines_backwards(path)) == []
