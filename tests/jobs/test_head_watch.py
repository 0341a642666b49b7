"""A head that does not answer ends the command with a sentence; one that answers does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.patience import PATIENCE_SECONDS

ASK = """
import threading, time
from types import SimpleNamespace
from engine.jobs import head_watch
now, looks = 0.0, threading.Semaphore(0)
def pause(seconds):
    looks.release()
    time.sleep(0.01)
def be_looked_at():
    while looks.acquire(blocking=False):
        pass
    for _ in range(3):
        looks.acquire()
head_watch.time = SimpleNamespace(monotonic=lambda: now, sleep=pause)
watch = head_watch.HeadWatch()
with watch.asking():
    now = {asking}
    be_looked_at()
be_looked_at()
now += 1000.0
be_looked_at()
"""


@pytest.mark.parametrize(("asking", "code"), [(46.0, 1), (44.0, 0)])
def test_a_head_that_does_not_answer(asking: float, code: int) -> None:
    command = [sys.executable, "-c", ASK.format(asking=asking)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("facestream: the head of the Ray cluster does not answer" if code else "")
    assert done.stderr.count("\n") == code
