"""Real footage, faces and models that tests use when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]
_BESIDE = _ROOT.parent / "shared" if (_ROOT / ".git").exists() else _ROOT / "shared"
SHARED = Path(os.environ.get("FACESTREAM_SHARED") or _BESIDE)
"""The folder of real footage: what the variable names, else one beside a working copy, else one within an unpacked source tree.
Where it is missing the tests that need it are skipped."""


def shared(relative: str) -> Path:
    """Return a file of the shared folder, or skip the test and say which file is missing."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"needs {relative} of the shared folder (set FACESTREAM_SHARED)")
    return path
