"""Which recordings an archive has: folders, patterns, and lists of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from engine.config import Config, SourceConfig
from engine.contracts.recording import Recording
from engine.contracts.stored import is_stored
from engine.errors import UsageError
from engine.jobs.stored_recordings import stored_recordings
from engine.source.cameras import is_camera
from engine.source.sources import expand_sources
from engine.storage.s3 import FEW_ATTEMPTS, Storage
from engine.words.text import readable

LIST = ".txt"


def recordings_of(uris: Iterable[str], config: Config, warn: Callable[[str], None], endpoint: str = "") -> list[Recording]:
    """Return the recordings of an archive, each with a name of its own; their paths are absolute, as workers are elsewhere.

    Args:
        uris: recordings, folders, patterns, places in object storage, or lists (``.txt``) of them, one a line; empty: those of
            the configuration.
        config: its ``sources``, and how they are read.
        warn: takes what is unwise.
        endpoint: of the object storage.

    Raises:
        UsageError: there is none, one is not there, a list cannot be read, or something is not a recording.
        StorageError, StorageAwayError: see ``Storage``.
    """
    sources = [SourceConfig(uri=one) for uri in uris for one in _listed(uri)] or list(config.sources)
    if not sources:
        raise UsageError("there is nothing to read: give recordings, a folder, a 'glob' or a list")
    for source in sources:
        if is_camera(source.uri) and not is_stored(source.uri):
            raise UsageError(
                "archives are made of recordings, not cameras: those are for `facestream run` and `facestream serve`"
            )
    storage = Storage(endpoint, FEW_ATTEMPTS)

    def elsewhere(source: SourceConfig) -> list[Recording] | None:
        return stored_recordings(source.uri, storage, warn) if is_stored(source.uri) else None

    found: dict[str | Path, Recording] = {}
    for one in expand_sources(sources, config.live, warn, elsewhere):
        if isinstance(one, Recording):
            path, pictures = one.path.absolute(), tuple(picture.absolute() for picture in one.pictures)
            found.setdefault(one.place if one.stored else path, replace(one, path=path, pictures=pictures))
    return list(found.values())


def _listed(uri: str) -> Iterator[str]:
    if is_stored(uri) or not uri.lower().endswith(LIST):
        yield uri
        return
    path = Path(uri).expanduser()
    try:
        lines = path.read_bytes().decode(errors="surrogateescape").splitlines()
    except OSError as error:
        raise UsageError(f"the list {readable(path)} cannot be read: {error.strerror}") from error
    lines = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    if not lines:
        raise UsageError(f"the list {readable(path)} is empty: write one recording, folder or pattern per line")
    for line in lines:
        yield line if "://" in line or is_stored(line) else str(path.parent / Path(line).expanduser())
