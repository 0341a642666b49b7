"""Where nothing can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.archive.chain import CHAIN
from engine.archive.claim import check_free, check_writable
from engine.errors import ConfigError


def test_a_place_is_tried_and_nothing_is_left_there(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "new", tmp_path / "some" / "new"):
        check_writable(directory)
    assert list(tmp_path.iterdir()) == []


def test_what_looks_writable_and_is_not_is_refused(tmp_path: Path) -> None:
    """As for root ``/proc``, a disk that is read-only, or a name that no disk takes."""
    (tmp_path / "file").write_text("")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    for place in ("file", "file/below", "nowhere", "round"):
        with pytest.raises(ConfigError, match="choose another one than"):
            check_writable(tmp_path / place)
    for name in ("x" * 300, "x" * 300 + "/below", "round/below"):
        with pytest.raises(ConfigError, match=r"nothing can be written to .*: (File name too long|Too many levels)"):
            check_writable(tmp_path / name)
    for place in ("/proc/result", "/proc/self"):
        with pytest.raises(ConfigError, match=r"(may not|cannot) be written.*choose another directory than"):
            check_writable(Path(place))


def test_a_run_that_was_killed_before_it_was_there_is_in_nobodys_way(tmp_path: Path) -> None:
    """The first block is written before ``run.json``: neither a new run nor ``--resume`` could use such a directory."""
    chain = tmp_path / CHAIN
    for begun in (b"", b"half a bl", b"a block\n"):
        chain.write_bytes(begun)
        check_free(tmp_path)
    chain.write_bytes(b"a block\nanother\n")
    with pytest.raises(ConfigError, match="already holds a run"):
        check_free(tmp_path)
    chain.write_bytes(b"a block\n")
    (tmp_path / "faces.jsonl").write_bytes(b"")
    with pytest.raises(ConfigError, match="already holds a run"):
        check_free(tmp_path)
