"""Arrays on disk that are whole or not there: written beside their place and moved into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array as `.npy`, making the folder."""
    unfinished = _beside(path)
    np.save(unfinished, array)
    unfinished.replace(path)


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write several by name as `.npz`, making the folder."""
    unfinished = _beside(path)
    np.savez(unfinished, allow_pickle=False, **arrays)
    unfinished.replace(path)


def _beside(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_suffix(f".partial{path.suffix}")
