"""What a run reads: recordings and cameras, in one list."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import msgspec

from engine.config import LiveConfig, SourceConfig
from engine.config.blame import blaming
from engine.contracts.camera import Camera
from engine.contracts.recording import Recording
from engine.errors import ConfigError
from engine.source.cameras import camera_of, check_recording, is_camera
from engine.source.files import named_by, recordings_of, with_settings
from engine.source.names import name_streams, names_of_files
from engine.words.lists import some_of


def expand_sources(
    sources: Sequence[SourceConfig],
    live: LiveConfig,
    warn: Callable[[str], None] = lambda sentence: None,
    elsewhere: Callable[[SourceConfig], list[Recording] | None] = lambda source: None,
) -> list[Recording | Camera]:
    """Return the recordings and cameras that the sources stand for, in their order; those of a directory or glob sorted.

    Names are unique over both kinds. One that is not given is made from the file's name (and its folders', where several have
    the same), the camera's address, or the device's name.

    Args:
        sources: of the configuration.
        live: settings of the cameras that their sources leave open.
        warn: called with a sentence on each thing that is unwise but not wrong, such as a password that all may read.
        elsewhere: returns the recordings of a source that is no path and no camera, with absolute paths to name them by; None:
            it is one of these.

    Raises:
        ConfigError: a recording does not exist, a directory may not be read or holds none, a glob matches none; a name is
            invalid, given twice, or given to several files; a camera's address, credentials or keys are wrong. No message shows
            credentials; ``keys`` lead to the source.
    """
    found: list[Recording | Camera] = []
    made: dict[int, str] = {}
    source_of: list[int] = []
    for index, source in enumerate(sources):
        with blaming("sources", index):
            if (there := elsewhere(source)) is not None:
                check_recording(source)
                found += with_settings(source, there, warn)
            elif is_camera(source.uri):
                camera, made[len(found)] = camera_of(source, live, warn)
                found.append(camera)
            else:
                check_recording(source)
                found += recordings_of(source, warn)
        source_of += [index] * (len(found) - len(source_of))
    files = {index: named_by(stream) for index, stream in enumerate(found) if isinstance(stream, Recording)}
    made.update(zip(files, names_of_files(list(files.values())), strict=True))
    try:
        names = name_streams((stream.name, made[index]) for index, stream in enumerate(found))
    except ConfigError as error:
        error.keys = ("sources", source_of[int(error.keys[0])], *error.keys[1:])
        raise
    return [_named(stream, name) for stream, name in zip(found, names, strict=True)]


def tell_of_repeats(streams: Iterable[Recording | Camera], warn: Callable[[str], None]) -> None:
    """Warn of cameras and recordings that are given several times, these by whatever paths; another video stream of a file is
    another one."""
    same: dict[object, list[Recording | Camera]] = {}
    for stream in streams:
        if isinstance(stream, Camera):
            same.setdefault(stream.url, []).append(stream)
        else:
            with suppress(OSError):  # it fails when it is its turn
                status = stream.files[0].stat()
                key = status.st_dev, status.st_ino, len(stream.pictures), stream.reading.video_stream
                same.setdefault(key, []).append(stream)
    for first, *others in same.values():
        if others:
            names = some_of([one.name for one in (first, *others)])
            shown = first.shown if isinstance(first, Camera) else first.path
            warn(f"{shown} is given {len(others) + 1} times ({names}), and read as often: its faces count as often")


def _named(stream: Recording | Camera, name: str) -> Recording | Camera:
    if isinstance(stream, Camera):
        return msgspec.structs.replace(stream, name=name)
    return dataclasses.replace(stream, name=name)
