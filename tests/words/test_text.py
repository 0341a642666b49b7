from __future__ import annotations

import os
from pathlib import Path

from engine.errors import FacestreamError, error_words
from engine.words.redaction import redact_tree
from engine.words.text import readable


def test_what_is_not_utf8_becomes_an_escape_everywhere() -> None:
    name = os.fsdecode(b"latin\xe9.mp4")
    for said in (readable(Path(name)), readable(name), redact_tree(name), error_words(FacestreamError(name))):
        assert said == r"latin\udce9.mp4"
    assert readable("José") == "José"
