"""Writes arrays to disk completely or not at all: to a temporary file that is moved into place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contracts.manifest import sha256_of
from engine.whole_file import replacing
from trt_build.writing import writable


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write one array as `.npy`, creating its folder.

    Raises:
        DataError: it cannot be written, for instance because the disk is full.
    """
    _in_place(path, lambda unfinished: np.save(unfinished, array))


def write_arrays(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write several arrays by name as `.npz`, creating the folder.

    Raises:
        DataError: they cannot be written, for instance because the disk is full.
    """
    _in_place(path, lambda unfinished: np.savez(unfinished, allow_pickle=False, **arrays))


def key_of(source: Path) -> str:
    """Return a key that changes with a file, or any file of a folder, whatever its path."""
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    contents = [(str(path.relative_to(source)), _digest(path, path.stat().st_mtime_ns)) for path in files]
    return hashlib.sha256(repr(contents).encode()).hexdigest()[:12]


@lru_cache(maxsize=4096)
def _digest(path: Path, changed_ns: int) -> str:
    """Return the SHA-256 of a file; it is read again only if it has changed."""
    return sha256_of(path)


def _in_place(path: Path, write: Callable[[Path], None]) -> None:
    with writable(path), replacing(path, public=True) as beside:  # two runs may fill the same cache
        write(beside)
