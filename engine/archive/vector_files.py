"""The vector files of a run, one for each length: ``embeddings_<length>.f32``, rows of little-endian float32."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"embeddings_([1-9][0-9]{0,5})\.f32")
_FLOAT_BYTES = 4


def vectors_name(length: int) -> str:
    """Return the name of the file of vectors of so many numbers."""
    return f"embeddings_{length}.f32"


def vector_length(name: str) -> int:
    """Return how many numbers a vector of a file has; 0: no run calls a file of vectors so."""
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else 0


def row_bytes(name: str) -> int:
    """Return the bytes of a vector of a file; 0: no run calls a file of vectors so."""
    return _FLOAT_BYTES * vector_length(name)


def vector_files(directory: Path) -> list[Path]:
    """Return those of a directory, by name; nothing where there is no directory."""
    return sorted(path for path in directory.glob("embeddings_*.f32") if vector_length(path.name))
