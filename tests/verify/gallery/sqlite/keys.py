"""Keys of galleries, in files."""

from __future__ import annotations

from pathlib import Path

from engine.contracts.gallery import GalleryPlace

DIGITS = "5f" * 32


def key_file(path: Path, digits: str = DIGITS) -> Path:
    """Write a key for its owner alone."""
    path.write_text(f"{digits}\n")
    path.chmod(0o600)
    return path


def locked(path: Path, key: Path) -> GalleryPlace:
    """Return where an encrypted gallery is."""
    return GalleryPlace(str(path), str(key))
