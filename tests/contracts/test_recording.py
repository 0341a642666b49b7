from __future__ import annotations

import hashlib
import os

from engine.contracts.recording import Recording
from engine.words.redaction import redact_tree


def test_a_series_is_known_by_all_of_its_files_in_their_order(tmp_path):
    paths = [tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg")]
    for path in paths:
        path.write_bytes(path.name.encode() * 1000)
    series = Recording("seq", tmp_path, tuple(paths), 10.0)
    facts = series.facts()
    assert (facts["pictures"], facts["fps"], facts["size_bytes"]) == (3, 10.0, 15_000)
    assert series.sha256() == hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    assert Recording("seq", tmp_path, tuple(reversed(paths))).sha256() != series.sha256()
    os.utime(paths[1], ns=(1, 1))
    assert series.facts()["mtime_ns"] != facts["mtime_ns"], "an older file in the place of one is noticed"


def test_a_file_is_known_by_itself(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x" * 3)
    found = path.stat()
    assert Recording("a", path).facts() == {"path": str(path), "size_bytes": 3, "mtime_ns": found.st_mtime_ns}
    assert Recording("a", tmp_path / "gone").facts() == {"path": str(tmp_path / "gone")}


def test_a_name_that_is_no_text_is_shown_with_escapes(tmp_path):
    path = tmp_path / os.fsdecode(b"latin\xe9.mp4")
    path.write_bytes(b"x")
    facts = Recording("a", path).facts()
    assert facts["path"] == f"{tmp_path}/latin\\udce9.mp4"
    assert facts["size_bytes"] == 1
    assert redact_tree({"uri": str(path)}) == {"uri": facts["path"]}
