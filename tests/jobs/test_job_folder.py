"""What lies in the directory of a job, and who may read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from engine.errors import ConfigError, PublishError
from engine.jobs.attempts import Attempts
from engine.jobs.driver import read_standing
from engine.jobs.job_folder import STATUS, JobFolder
from engine.jobs.lease import read_lease
from engine.jobs.orders import PLAN, read_plan
from engine.jobs.pieces import PIECE, read_piece

_DEEP = b'{"unknown": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
"""No decoder goes to its bottom."""
_NO_UNICODE = b'{"owner": "\xff", "stream": "\xff", "phase": "\xff", "recording": "\xff"}'


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = JobFolder(tmp_path / "out" / "job")
        folder.make()
        folder.write_attempts("task", Attempts("clip", []))
        place = folder.new_place("owner")
    finally:
        os.umask(before)
    made = [folder.directory.parent, place, *folder.directory.rglob("*")]
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.parametrize("content", [_DEEP, _NO_UNICODE, b"", b"[1"])
def test_files_that_are_none_of_ours(tmp_path: Path, content: bytes) -> None:
    folder = JobFolder(tmp_path)
    folder.make()
    for path in (tmp_path / STATUS, folder.leases / "task", folder.attempts / "task.json", tmp_path / PIECE, tmp_path / PLAN):
        path.write_bytes(content)
    assert read_standing(folder) is None
    assert read_lease(folder.leases / "task") is None
    with pytest.raises(ConfigError, match="remove it, the task is then tried again"):
        folder.read_attempts()
    with pytest.raises(PublishError, match="to process it again"):
        read_piece(tmp_path)
    with pytest.raises(PublishError, match="to plan it again"):
        read_plan(tmp_path)
