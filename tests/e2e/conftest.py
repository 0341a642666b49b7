"""Clips and models for whole runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.sample.clip import render_sample
from tests.made_once import made_once


@dataclass(frozen=True)
class Clip:
    """A rendered clip whose truth is known."""

    video: Path
    truth: Path
    enrolment: Path
    """Folder of enrolment pictures, NAME.png."""


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """A few seconds of the sample, small enough for dlib's detector."""
    folder = made_once(tmp_path_factory, "clip", lambda made: render_sample(made / "sample.mp4", seconds=4.0, seed=3))
    video = folder / "sample.mp4"
    return Clip(video, video.with_suffix(".truth.json"), video.with_name("sample-enrol"))


def facestream(*arguments: object, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run the command as a user would, and return its exit code and output."""
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False
    )
