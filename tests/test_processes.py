"""What tests rely on to leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.patience import until
from tests.processes import lives, open_files
from tests.publish.samples import environment

START = """
import subprocess, time
from tests.processes import bound
print(subprocess.Popen(bound(["sleep", "600"])).pid, flush=True)
time.sleep(600)
"""


def test_what_is_bound_ends_with_whoever_started_it():
    with subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.PIPE, env=environment()) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        until(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n", "the program itself")
        parent.kill()
    until(lambda: not lives(child), "its end")


def test_what_was_opened_since_is_known_whatever_was_closed_meanwhile(tmp_path: Path):
    with (tmp_path / "others").open("w"):
        before = open_files()
    assert not open_files() - before
    with (tmp_path / "ours").open("w"), (tmp_path / "ours").open():
        assert open_files() - before == {str(tmp_path / "ours"): 2}
