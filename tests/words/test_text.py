from __future__ import annotations

import os
from pathlib import Path

from engine.errors import FacestreamError, error_words
from engine.words.redaction import redact_tree
from engine.words.text import path_of, readable


def test_what_is_not_utf8_becomes_an_escape_everywhere() -> None:
    name = os.fsdecode(b"latin\xe9.mp4")
    for said in (readable(Path(name)), readable(name), redact_tree(name), error_words(FacestreamError(name))):
        assert said == r"latin\udce9.mp4"
    assert readable("José") == "José"


def test_a_file_is_found_again_by_what_was_said_of_it(tmp_path: Path) -> None:
    for name in (b"latin\xe9.mp4", "José.mp4".encode(), rb"latin\udce9.mp4", b"\xff\xfe"):
        path = tmp_path / os.fsdecode(name)
        path.touch()
        assert path_of(readable(path)) == path
        path.unlink()
    assert path_of("gone.mp4") == Path("gone.mp4")
