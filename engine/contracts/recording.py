"""A recording of a run: the files that it consists of, and what is remembered of them to know them again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Annotated, Any

import msgspec

from engine.contracts.messages import Clock, Deinterlace, Rotate
from engine.contracts.stored import Stored
from engine.contracts.times import UnixNs
from engine.words.text import readable

SERIES_FPS = 25.0
"""Pictures per second of a series whose source does not tell."""
ASPECT = "[1-9][0-9]{0,4}[:/][1-9][0-9]{0,4}"
"""A picture's width to height, as a regular expression."""
_HASH_BLOCK_BYTES = 1 << 20


class Appearance(msgspec.Struct, frozen=True):
    """How pictures are made to look as they should, beyond what the file itself says."""

    rotate: Rotate = 0
    """Turn that is added to the file's own; see ``Rotate``."""
    deinterlace: Deinterlace = "auto"
    aspect: Annotated[str, msgspec.Meta(pattern=rf"\A({ASPECT})?\Z")] = ""
    """Width to height of the whole picture as it is meant to be seen, as ``4:3``, before any turn; empty: as the file says."""


class Reading(msgspec.Struct, frozen=True):
    """How a recording is read."""

    appearance: Appearance = Appearance()
    video_stream: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Which of the video streams, from 0; None: the one that FFmpeg takes for the best."""
    started_ns: UnixNs | None = None
    """When the recording begins (wall clock, Unix, nanoseconds), as the user or the file's name says."""
    clock: Clock = ""
    """Where ``started_ns`` comes from."""
    trusts_metadata: bool = True
    """Whether the file's own ``creation_time`` is taken for its beginning, where ``started_ns`` is None."""


class Start(msgspec.Struct, frozen=True):
    """Where a video is read from in its middle, as a reader from its beginning comes to it."""

    frame_index: int
    """Of the first frame that is given."""
    after_ticks: int
    """Time stamp of the frame before it, in the video's units."""
    since_mark: int
    """Of the frames before it so many have come since the first that was marked for detection after a discontinuity."""
    seek_ticks: int
    """Time stamp of the key frame with which decoding begins; what comes before the first frame is decoded, not given."""
    origin_seconds: float
    """The time stamp from which the recording's time counts at the key frame."""


@dataclass(frozen=True)
class Recording:
    """One stream that is read from files."""

    name: str
    """Of its stream: unique within the run and usable in a topic."""
    path: Path
    """The file; of a series of pictures its folder, glob or pattern, for people."""
    pictures: tuple[Path, ...] = ()
    """A series: its pictures, in their order. Empty for a video."""
    fps: float = SERIES_FPS
    """Pictures per second of a series."""
    reading: Reading = field(default_factory=Reading)
    stored: Stored | None = None
    """What the file is fetched from, for as long as it is read; None: it lies where ``path`` says."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read."""
        return self.pictures or (self.path,)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.stored.place) if self.stored else readable(self.path)

    def told(self, sentence: str) -> str:
        """Return a sentence on what was read, with the place where it is for good."""
        return sentence.replace(readable(self.path), self.place) if self.stored else sentence

    def facts(self) -> dict[str, Any]:
        """Return ``path``, and ``size_bytes`` and ``mtime_ns`` where the files can be looked at; of a series also ``pictures``
        (how many) and ``fps``; ``reading`` where the user said something of it; and ``etag`` where it is fetched.

        The size of a series is that of all its files. Its ``mtime_ns`` is the exclusive or over them: no file can be
        replaced, whether by a newer or by an older one, without changing it.
        """
        facts: dict[str, Any] = {"path": self.place if self.stored else readable(self.path.absolute())}
        if self.reading != Reading():
            facts["reading"] = msgspec.to_builtins(self.reading)
        if self.pictures:
            facts |= {"pictures": len(self.pictures), "fps": self.fps}
        if self.stored:
            known = {"size_bytes": self.stored.size_bytes, "mtime_ns": self.stored.modified_ns, "etag": self.stored.etag}
            return facts | known
        try:
            found = [path.stat() for path in self.files]
        except OSError:
            return facts
        return facts | {
            "size_bytes": sum(one.st_size for one in found),
            "mtime_ns": reduce(xor, (one.st_mtime_ns for one in found)),
        }

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes of the files, one file after the other, in pieces of at most a MiB.

        Raises:
            OSError: a file cannot be read.
        """
        for path in self.files:
            with path.open("rb") as file:
                while block := file.read(_HASH_BLOCK_BYTES):
                    yield block

    def sha256(self, alive: Callable[[], None] = lambda: None) -> str:
        """Return the hexadecimal SHA-256, of a series over its files one after the other (``cat f*.jpg | sha256sum``).

        Args:
            alive: called for each MiB.

        Raises:
            OSError: a file cannot be read.
        """
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
            alive()
        return digest.hexdigest()


class Sent(msgspec.Struct, frozen=True):
    """A recording on its way to another process: names of files are bytes, as the system has them, and need not be text."""

    name: str
    path: bytes
    pictures: list[bytes] = []
    fps: float = SERIES_FPS
    reading: Reading = Reading()
    stored: Stored | None = None

    def recording(self) -> Recording:
        """Return what was sent."""
        pictures = tuple(Path(os.fsdecode(path)) for path in self.pictures)
        return Recording(self.name, Path(os.fsdecode(self.path)), pictures, self.fps, self.reading, self.stored)


def sent(recording: Recording) -> Sent:
    """Return a recording as it is sent."""
    pictures = [os.fsencode(path) for path in recording.pictures]
    return Sent(recording.name, os.fsencode(recording.path), pictures, recording.fps, recording.reading, recording.stored)
