from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine.archive.lines import decoded, last_words, read_lines
from engine.archive.reader import face_line, read_run


class _Line(msgspec.Struct, frozen=True):
    stream: str
    track_id: int = 1
    ended: bool = False


@pytest.mark.parametrize(
    "line",
    [
        b'{"stream": "../../x"}', b'{"stream": "a/b"}', b'{"stream": ".."}', b'{"stream": ""}', b'{"stream": "a\\u0000"}',
        b'{"stream": "' + b"a" * 65 + b'"}', b'{"stream": "\xff"}', b'{"stream": 3}', b"{}", b"[]", b"", b'{"stream": "a"',
        b'{"stream": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)  # fmt: skip
def test_a_line_that_no_run_wrote_is_none(line: bytes) -> None:
    assert decoded(line, _Line) is None
    assert face_line(line) is None


def test_the_lines_around_it_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tracks.jsonl"
    path.write_bytes(b'{"stream": "door"}\n{"stream": "../x"}\n\xff\n{"stream": "yard", "more": 1}\n{"stream": "torn"}')
    assert [line.stream for line in read_lines(path, _Line)] == ["door", "yard"]
    assert list(read_lines(tmp_path / "none", _Line)) == []


def test_the_last_word_on_a_track_is_its_end() -> None:
    said = [("a", 1, False), ("a", 2, False), ("b", 1, False), ("a", 1, True), ("a", 1, False), ("a", 1, True), ("a", 2, False)]
    words = [_Line(*one) for one in said]
    assert list(map(id, last_words(words, lambda line: line))) == [id(words[at]) for at in (3, 6, 2)]


def test_a_recording_of_a_stream_that_cannot_be_is_none_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"inputs": {"../../x": {"path": "/etc/x"}, "door": {"path": "door.mp4"}}}')
    assert list(read_run(tmp_path)["inputs"]) == ["door"]
