"""Real footage, faces and models that tests use when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("FACESTREAM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
"""The folder of real footage; a checkout without it skips the tests that need it."""


def shared(relative: str) -> Path:
    """Return a file of the shared folder, or skip the test and say which file is missing."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs {relative} of the shared folder (set FACESTREAM_SHARED)")
    return path
