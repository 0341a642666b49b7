"""Lines of a run's files as objects.

A line that is torn, damaged, or names an impossible stream counts as not written: somebody else may have changed the directory,
and stream names become file names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from engine.archive.files import whole_lines
from engine.contracts.messages import is_stream_name
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError


class OfStream(Protocol):
    """What every line says."""

    @property
    def stream(self) -> str:
        """As in its message."""


class Word(OfStream, Protocol):
    """What is said of a track."""

    @property
    def track_id(self) -> int:
        """As in its message."""

    @property
    def ended(self) -> bool:
        """Nothing more comes of this track."""


_Line = TypeVar("_Line", bound=OfStream)
_Said = TypeVar("_Said")


def decoded(line: bytes, kind: type[_Line]) -> _Line | None:
    """Return what a line says, as far as ``kind`` asks; None where it cannot be read."""
    try:
        found: _Line = _decoder(kind).decode(line)
    except UNREADABLE:
        return None
    return found if is_stream_name(found.stream) else None


def read_lines(path: Path, kind: type[_Line]) -> Iterator[_Line]:
    """Yield what the lines of a file say, in their order, as far as they can be read; nothing where there is no file.

    Raises:
        PublishError: the file cannot be read.
    """
    for line in bytes_of(path):
        if (found := decoded(line, kind)) is not None:
            yield found


def bytes_of(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a file as they are; none where there is no file.

    Raises:
        PublishError: the file cannot be read.
    """
    try:
        yield from whole_lines(path)
    except OSError as error:
        raise PublishError(f"cannot read {path}: {error.strerror}") from error


def last_words(said: Iterable[_Said], word: Callable[[_Said], Word]) -> Iterator[_Said]:
    """Yield the last word on each track, by their ends; those that have not ended, as after a kill, come last. What is said of
    a track after its end does not count.

    Args:
        said: of tracks, in the order of writing.
        word: of each.
    """
    ended: dict[str, set[int]] = {}
    going: dict[tuple[str, int], _Said] = {}
    for one in said:
        about = word(one)
        over = ended.setdefault(about.stream, set())
        if about.track_id in over:
            continue
        if about.ended:
            over.add(about.track_id)
            going.pop((about.stream, about.track_id), None)
            yield one
        else:
            going[about.stream, about.track_id] = one
    yield from going.values()


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
