"""A head that does not answer ends the command with a sentence; one that answers does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASK = """
import time
from engine.jobs import head_watch
head_watch._SILENT_SECONDS, head_watch._LOOK_SECONDS = 0.2, 0.05
watch = head_watch.HeadWatch()
with watch.asking():
    time.sleep({asking})
time.sleep({after})
"""


@pytest.mark.parametrize(("asking", "after", "code"), [(60.0, 0.0, 1), (0.0, 0.6, 0)])
def test_a_head_that_does_not_answer(asking: float, after: float, code: int) -> None:
    command = [sys.executable, "-c", ASK.format(asking=asking, after=after)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == code
    assert done.stderr.startswith("facestream: the head of the Ray cluster does not answer" if code else "")
    assert done.stderr.count("\n") == code
