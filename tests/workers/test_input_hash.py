from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from engine.contracts.recording import Recording
from engine.workers.input_hash import InputHash
from tests.patience import PATIENCE_SECONDS


def test_it_says_what_was_read(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x" * (3 << 20) + b"end")
    digest = InputHash(Recording("a", path))
    assert digest.wait(PATIENCE_SECONDS)
    found = digest.take()
    assert found is not None
    assert (found.stream, found.path, found.size_bytes) == ("a", str(path), (3 << 20) + 3)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.mtime_ns == path.stat().st_mtime_ns
    assert digest.take() is None, "it is told once"


@pytest.mark.parametrize("kind", ["gone", "directory"])
def test_what_cannot_be_read_is_left_to_the_decoder(tmp_path: Path, kind: str):
    path = tmp_path / "a.mp4"
    if kind == "directory":
        path.mkdir()
    digest = InputHash(Recording("a", path))
    assert digest.wait(PATIENCE_SECONDS)
    assert digest.take() is None


def test_a_slow_disk_keeps_nobody_waiting(tmp_path: Path):
    """A pipe that nobody writes to is the slowest of files: opening it blocks for ever."""
    path = tmp_path / "slow.mp4"
    os.mkfifo(path)
    digest = InputHash(Recording("a", path))
    assert not digest.wait(0.05)
    digest.stop()
    assert digest.take() is None
    threads = [thread for thread in threading.enumerate() if thread.name == "hash"]
    assert all(thread.daemon for thread in threads), "it does not hold back the end of the process"
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
