"""What takes long to make is made by one of the workers that run tests side by side, for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from engine.lock import DirectoryLock
from tests.patience import PATIENCE_SECONDS


def made_once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that the first who asks for it has filled; nobody changes it afterwards.

    Args:
        temporary: of the session.
        name: of the folder, nobody else's.
        make: fills it.
    """
    base = temporary.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with closing(DirectoryLock(folder, PATIENCE_SECONDS)):
        if not (folder / "made").exists():
            make(folder)
            (folder / "made").touch()
    return folder
