"""What the streams of a run are called."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from engine.config.blame import blaming
from engine.contracts.messages import check_stream_name
from engine.errors import ConfigError

NAME_LENGTH = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


def name_from(path: Path) -> str:
    """Return a valid stream name that resembles the file's name; it is not unique."""
    return name_from_text(path.stem) or "recording"


def name_from_text(text: str) -> str:
    """Return what of a text may stand in a stream name; empty where nothing of it may."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_IN_NAMES.sub("_", ascii_only).strip("._")[:NAME_LENGTH]


def names_of_files(paths: Sequence[Path]) -> list[str]:
    """Return a valid stream name for each file, or folder of a series, like its own; where several would be called the same,
    with the folders before it that tell them apart, as ``cam1_10-00`` and ``cam2_10-00``, as all others there.
    In one folder the endings do that.

    Args:
        paths: absolute ones; one that is given twice has the same name twice.
    """
    names = [name_from(path) for path in paths]
    depths: dict[Path, int] = {}
    apart: dict[int, str] = {}
    for name, times in Counter(names).items():
        if times > 1:
            alike = [index for index, other in enumerate(names) if other == name]
            depth, told_apart = _told_apart([paths[index] for index in alike])
            apart.update(zip(alike, told_apart, strict=True))
            for index in alike:
                depths[paths[index].parent] = max(depth, depths.get(paths[index].parent, 0))
    return [apart.get(index) or _with_folders(path, path.stem, depths.get(path.parent, 0)) for index, path in enumerate(paths)]


def _told_apart(paths: Sequence[Path]) -> tuple[int, list[str]]:
    """Return how many of the folders make the names as different as they can be, and the names."""
    twins = Counter((path.parent, path.stem) for path in set(paths))
    ends = [path.name if twins[path.parent, path.stem] > 1 else path.stem for path in paths]
    best: tuple[int, list[str]] = (0, [])
    for depth in range(max(len(path.parents) for path in paths)):
        names = [_with_folders(path, end, depth) for path, end in zip(paths, ends, strict=True)]
        if len(set(names)) > len(set(best[1])):
            best = depth, names
        if len(set(names)) == len(set(paths)):
            break
    return best


def _with_folders(path: Path, end: str, depth: int) -> str:
    folders = [folder.name for folder in path.parents[:depth]][::-1]
    return name_from_text("_".join([*folders, end])) or name_from(path)


def name_streams(wanted: Iterable[tuple[str, str]]) -> list[str]:
    """Return a unique name for each stream.

    Args:
        wanted: of each stream the name that the user gave, or "", and the valid one that is made for it otherwise; the
            latter gets a number behind it where it is taken.

    Raises:
        ConfigError: a given name cannot stand in a topic, or is given twice; ``keys`` begins with its index.
    """
    pairs = list(wanted)
    taken: set[str] = set()
    for index, (given, _) in enumerate(pairs):
        with blaming(index, "name"):
            if given and check_stream_name(given) in taken:
                raise ConfigError(f"two streams have the name {given!r}: give each its own")
        taken.add(given)
    return [given or new_name(made, taken) for given, made in pairs]


def new_name(base: str, taken: set[str]) -> str:
    """Return a name, with a number behind it where it is taken, and note it as taken. What is made of something longer or
    richer, as of a path, is unique only by this.

    Args:
        base: not longer than ``NAME_LENGTH``.
        taken: all names so far.
    """
    name = base
    number = 1
    while name in taken:
        number += 1
        suffix = f"-{number}"
        name = base[: NAME_LENGTH - len(suffix)] + suffix
    taken.add(name)
    return name
