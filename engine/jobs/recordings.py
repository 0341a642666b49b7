"""Which recordings an archive has: folders, patterns, and lists of them; and one on its way to a worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from engine.config import Config, SourceConfig
from engine.contracts.recording import Reading, Recording, shown
from engine.errors import UsageError
from engine.source.cameras import is_camera
from engine.source.sources import expand_sources

LIST = ".txt"


class Sent(msgspec.Struct, frozen=True):
    """A recording on its way to another process: names of files are bytes there, as the system has them."""

    name: str
    path: bytes
    pictures: list[bytes]
    fps: float
    reading: Reading

    def recording(self) -> Recording:
        """Return what was sent."""
        pictures = tuple(Path(os.fsdecode(path)) for path in self.pictures)
        return Recording(self.name, Path(os.fsdecode(self.path)), pictures, self.fps, self.reading)


def sent(recording: Recording) -> Sent:
    """Return a recording as it is sent; its paths are absolute, as other processes work elsewhere."""
    pictures = [os.fsencode(path.absolute()) for path in recording.pictures]
    return Sent(recording.name, os.fsencode(recording.path.absolute()), pictures, recording.fps, recording.reading)


def recordings_of(uris: Iterable[str], config: Config, warn: Callable[[str], None]) -> list[Recording]:
    """Return the recordings of an archive, each with a name of its own.

    Args:
        uris: recordings, folders, patterns, or lists (``.txt``) of them, one a line; empty: those of the configuration.
        config: its ``sources``, and how they are read.
        warn: takes what is unwise.

    Raises:
        UsageError: there is none, one is not there, a list cannot be read, or something is no recording.
    """
    sources = [SourceConfig(uri=one) for uri in uris for one in _listed(uri)] or list(config.sources)
    if not sources:
        raise UsageError("there is nothing to read: give recordings, a folder, a 'glob' or a list")
    for source in sources:
        if source.uri.lower().startswith("s3:"):
            raise UsageError(f"{source.uri}: recordings in object storage are not supported yet: mount or copy them")
        if is_camera(source.uri):
            raise UsageError(
                "an archive is of recordings, not of cameras: those are for `facestream run` and `facestream serve`"
            )
    found: dict[Path, Recording] = {}
    for one in expand_sources(sources, config.live, warn):
        if isinstance(one, Recording):
            found.setdefault(one.path.absolute(), one)
    return list(found.values())


def _listed(uri: str) -> Iterator[str]:
    if not uri.lower().endswith(LIST):
        yield uri
        return
    path = Path(uri).expanduser()
    try:
        lines = path.read_bytes().decode(errors="surrogateescape").splitlines()
    except OSError as error:
        raise UsageError(f"the list {shown(path)} cannot be read: {error.strerror}") from error
    lines = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    if not lines:
        raise UsageError(f"the list {shown(path)} is empty: write one recording, folder or pattern a line")
    for line in lines:
        yield line if "://" in line else str(path.parent / Path(line).expanduser())
