"""What the README says, done as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Clip
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_make_run_does_the_whole_job(tmp_path: Path):
    """The first command, in the environment that is already installed, with a shorter clip."""
    commands = [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()]
    assert commands == ["make run", "make test"]
    arguments = [f"VENV={sys.prefix}", f"OUT={tmp_path}", "SAMPLE_SECONDS=4", "-o", f"{sys.prefix}/.base"]
    done = subprocess.run(
        [*commands[0].split(), *arguments], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"astronaut[ │]+0\.9\d", done.stderr), done.stderr
    assert f"report: {tmp_path}/result/report.html" in done.stderr
    assert (tmp_path / "result" / "report.html").stat().st_size > 50_000


def test_the_subscriber_runs_as_printed(clip: Clip, tmp_path: Path):
    """But for the address: another program of this machine may have that port."""
    (program,) = blocks("python")
    assert len([line for line in program.splitlines() if line.strip()]) <= 11
    endpoint = f"ipc://{tmp_path}/faces"
    program, replaced = re.subn(r'(?<=Subscriber\(")tcp://127\.0\.0\.1:\d+(?=")', endpoint, program)
    assert replaced == 1
    package = tmp_path / "facestream"  # where the build puts it
    package.mkdir()
    shutil.copy(ROOT / "engine" / "_facestream.py", package / "__init__.py")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    reader = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    run = [sys.executable, "-m", "engine", "run", "--source", str(clip.video), "--publish", endpoint, "--wait", "60"]
    done = subprocess.run(
        [*run, "--every", "10", "--embedder", "none"], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    output, errors = reader.communicate(timeout=PATIENCE_SECONDS)
    assert reader.returncode == 0, errors
    lines = output.splitlines()
    assert "sample 1 none []" in lines  # tracks of different workers may overtake each other
    assert all(re.fullmatch(r"sample \d+ none \[\]", line) for line in lines)


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(target: str):
    assert target.startswith("http") or (ROOT / target).exists()


def test_the_readme_stays_short():
    assert len(README.splitlines()) <= 150
