"""Series of pictures: which files they are, in which order, and where one series ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePath

PICTURE_EXTENSIONS = frozenset([
    ".avif", ".bmp", ".dib", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm",
    ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
])  # fmt: skip
_NUMBER = re.compile(r"(\d+)")
_PLACE = re.compile(r"%(%|(0\d+)?d)")


def is_picture(path: PurePath) -> bool:
    """Whether a file's name is a picture's; nothing is opened."""
    return path.suffix.lower() in PICTURE_EXTENSIONS


def _natural_order(path: Path) -> tuple[object, ...]:
    """Return a key that sorts as people count: f2 before f10."""
    words = _NUMBER.split(path.name)
    return (
        str(path.parent),
        [(int(word), "") if place % 2 else (0, word.lower()) for place, word in enumerate(words)],
        str(path),
    )


def series_in(paths: Iterable[Path]) -> list[list[Path]]:
    """Return the pictures of each folder as one series, in natural order."""
    folders: dict[Path, list[Path]] = {}
    for path in sorted(paths, key=_natural_order):
        folders.setdefault(path.parent, []).append(path)
    return list(folders.values())


def numbered(pattern: Path) -> list[Path] | None:
    """Return the files that a pattern such as ``f%04d.jpg`` stands for, by number, whatever the first one is and whichever are
    missing; None where the name is not such a pattern.

    Raises:
        OSError: the folder cannot be read.
    """
    if not any(found[1] != "%" for found in _PLACE.finditer(pattern.name)):
        return None
    found: dict[int, Path] = {}
    for path in pattern.parent.iterdir():
        for digits in _NUMBER.findall(path.name):
            if _printed(pattern.name, digits) == path.name and path.is_file():
                found[int(digits)] = path
    return [found[number] for number in sorted(found)]


def _printed(pattern: str, digits: str) -> str:
    """Return the name that a pattern gives to a number, as C's ``printf`` does."""

    def number(one: re.Match[str]) -> str:
        return "%" if one[1] == "%" else f"{int(digits):{one[2] or ''}d}"

    return _PLACE.sub(number, pattern)
