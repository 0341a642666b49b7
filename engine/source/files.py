"""Which recordings a run reads."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

from engine.config import SourceConfig
from engine.contracts.recording import SERIES_FPS, Reading, Recording
from engine.errors import ConfigError
from engine.source.appearance import appearance_of
from engine.source.pictures import PICTURE_EXTENSIONS, is_picture, numbered, series_in
from engine.source.recording_clock import beginning_of, check_clock
from engine.words.lists import some_of
from engine.words.numbers import count
from engine.words.redaction import HIDDEN, redact
from engine.words.text import looked_in

# fmt: off
VIDEO_EXTENSIONS = frozenset([
    ".264", ".265", ".3g2", ".3gp", ".3gpp", ".apng", ".asf", ".avc", ".avi", ".dav", ".divx", ".dv", ".f4v", ".flv", ".gif",
    ".h264", ".h265", ".hevc", ".ivf", ".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg", ".mjpg", ".mkv", ".mod",
    ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".obu", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".tod",
    ".tp", ".trp", ".ts", ".vob", ".vro", ".webm", ".wmv", ".wtv", ".y4m",
])
"""What a directory is searched for, besides pictures; a file that is named outright may have any extension."""
_NO_RECORDINGS = frozenset([
    ".ass", ".csv", ".db", ".htm", ".html", ".ini", ".json", ".jsonl", ".log", ".md", ".md5", ".pdf", ".sha1", ".sha256",
    ".srt", ".sub", ".txt", ".vtt", ".xml", ".yaml", ".yml",
])
# fmt: on
"""What lies beside recordings, and that nobody misses."""
_VARIABLE = re.compile(r"\$\{\w|\$[A-Za-z_]|\{\{")
_FILE_URL = re.compile(r"file://", re.IGNORECASE)
TO_A_FILE = "write what another program sends to a file first"
"""What to do where somebody gives standard input, a pipe or a device: a recording is a file."""


def recordings_of(source: SourceConfig, warn: Callable[[str], None] = lambda sentence: None) -> list[Recording]:
    """Return the recordings of one source, videos sorted by path, nameless where it gives no name.

    A source is a file, a directory (searched recursively, hidden files left out), a glob, or a pattern such as ``f%04d.jpg``.
    The pictures of one folder are one recording, a series in natural order. Where a directory, or a glob that does not say
    which kind it means, holds videos, these alone are meant: pictures beside them are mostly previews.

    A file that cannot be read is a recording all the same, which fails when it is its turn, as any other that is bad.

    Args:
        source: with a uri that is no camera's.
        warn: called with a sentence on pictures and other files that are left out, and on names that do not hold the time that
            they should.

    Raises:
        ConfigError: a path does not exist; a directory may not be read; a directory or pattern holds none; a glob matches none;
            the name or the start time is given to several recordings; ``fps`` is given where there is no series, or
            ``video_stream`` where there is nothing else; a key tells no time.
    """
    return with_settings(source, _recordings_at(source.uri, warn), warn)


def with_settings(source: SourceConfig, recordings: Iterable[Recording], warn: Callable[[str], None]) -> list[Recording]:
    """Return the recordings of a source, read as it says.

    Args:
        source: that they are of.
        recordings: as they were found.
        warn: called with a sentence on names that do not hold the time that they should.

    Raises:
        ConfigError: a key does not fit them, see ``recordings_of``.
    """
    check_clock(source)
    found = [_with_settings(source, recording, warn) for recording in recordings]
    if not found:
        return []
    if source.name and len(found) > 1:
        raise ConfigError(
            f"the name {source.name!r} cannot stand for the {len(found)} recordings of {source.uri}: leave it out, "
            "names are then made from the names of files and folders"
        )
    if source.start_time and len(found) > 1:
        raise ConfigError(
            f"the start time {source.start_time} cannot be that of all {len(found)} recordings of {source.uri}: give them one "
            "by one, or take it from their names (clock_from)"
        )
    if source.video_stream is not None and all(recording.pictures for recording in found):
        raise ConfigError(f"{source.uri} is not a video, `video_stream` is for videos: leave it out")
    if source.fps is not None and not any(recording.pictures for recording in found):
        raise ConfigError(f"{source.uri} has a clock of its own, `fps` is for pictures: leave it out")
    return found


def named_by(recording: Recording) -> Path:
    """Return what a recording is called after: its file, or the folder of a series."""
    return (recording.path if recording.path in recording.files else recording.files[0].absolute().parent).absolute()


def _with_settings(source: SourceConfig, recording: Recording, warn: Callable[[str], None]) -> Recording:
    started_ns, clock = beginning_of(source, recording.files[0], warn)
    trusts_metadata = source.clock_from in ("", "creation_time")
    reading = Reading(appearance_of(source), source.video_stream, started_ns, clock, trusts_metadata)
    return replace(recording, name=source.name, fps=source.fps or SERIES_FPS, reading=reading)


def _recordings_at(uri: str, warn: Callable[[str], None]) -> list[Recording]:
    if uri == "-":
        raise ConfigError(f"standard input is no recording: {TO_A_FILE}")
    path = _local_path(uri)
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if (pictures := _numbered(path)) is not None:
            if not pictures:
                raise ConfigError(f"no file matches the pattern {path}") from error
            return [Recording("", path, tuple(pictures))]
        if glob.has_magic(str(path)):
            return _matches(path, warn)
        what = "variables are not replaced here, write the path itself" if _VARIABLE.search(uri) else "check the path"
        raise ConfigError(f"{without_password(uri)} does not exist{looked_in(path)}: {what}") from error
    except PermissionError as error:
        raise _not_readable(path) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{uri!r} is not a path: {error}") from error
    if path.is_dir():
        return _of_directory(path, warn)
    if not path.is_file():
        what = "a pipe" if stat.S_ISFIFO(kind) else "neither a file nor a directory"
        raise ConfigError(f"{uri} is {what}: give a recorded file; {TO_A_FILE}")
    return [Recording("", path, (path,) if is_picture(path) else ())]


def _local_path(uri: str) -> Path:
    if not uri:
        raise ConfigError("a source has an empty uri: give a path, a directory or a glob")
    if _FILE_URL.match(uri):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri).expanduser()


def _numbered(path: Path) -> list[Path] | None:
    try:
        return numbered(path)
    except OSError:
        return None


def _of_directory(directory: Path, warn: Callable[[str], None]) -> list[Recording]:
    files = list(_files_below(directory))
    videos = sorted(path for path in files if path.suffix.lower() in VIDEO_EXTENSIONS)
    pictures = [path for path in files if is_picture(path)]
    if not videos and not pictures:
        kinds = ", ".join(sorted(VIDEO_EXTENSIONS | PICTURE_EXTENSIONS))
        raise ConfigError(f"the directory {directory} holds no video file and no picture (looked for {kinds})")
    tell_of_others(directory, files, warn)
    return _videos_alone(directory, videos, pictures, warn) or [
        Recording("", series[0].parent, tuple(series)) for series in series_in(pictures)
    ]


def _matches(pattern: Path, warn: Callable[[str], None]) -> list[Recording]:
    files = sorted(path for path in {Path(match) for match in glob.iglob(str(pattern), recursive=True)} if path.is_file())
    pictures = [path for path in files if is_picture(path)]
    series = [_series(pattern, one) for one in series_in(pictures)]
    if pattern.suffix not in {"", ".*"}:
        found = [Recording("", path) for path in files if not is_picture(path)] + series
        if not found:
            raise ConfigError(f"no file matches {pattern}")
        return found
    # "archive/*" means the recordings in it, "archive/*.dat" means just what it says.
    videos = [path for path in files if path.suffix.lower() in VIDEO_EXTENSIONS]
    if not videos and not pictures:
        raise ConfigError(f"no video file and no picture matches {pattern}")
    tell_of_others(pattern, files, warn)
    return _videos_alone(pattern, videos, pictures, warn) or series


def _series(pattern: Path, pictures: list[Path]) -> Recording:
    return Recording("", pictures[0] if len(pictures) == 1 else pictures[0].parent / pattern.name, tuple(pictures))


def tell_of_others(where: object, files: Iterable[PurePath], warn: Callable[[str], None]) -> None:
    """Warn of files that may be recordings, and are left out for their names."""
    known = VIDEO_EXTENSIONS | PICTURE_EXTENSIONS | _NO_RECORDINGS
    if others := [path for path in files if path.suffix.lower() not in known]:
        named = some_of([path.name for path in sorted(others)])
        warn(
            f"{where} also holds {count(len(others), 'file')} that {'is' if len(others) == 1 else 'are'} left out, not being "
            f"called like a video or a picture ({named}): a recording among them can be named by itself"
        )


def _videos_alone(where: Path, videos: list[Path], pictures: list[Path], warn: Callable[[str], None]) -> list[Recording]:
    if videos and pictures:
        example = pictures[0].parent / f"*{pictures[0].suffix}"
        warn(
            f"{where} holds videos ({len(videos)}) and pictures ({len(pictures)}), which are left out: name them by "
            f"themselves, as '{example}', to read them as a series"
        )
    return [Recording("", path) for path in videos]


def _files_below(directory: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise _not_readable(Path(error.filename or directory)) from error

    for folder, folders, names in os.walk(directory, onerror=refuse):
        folders[:] = _shown(folders)
        # A pipe or a socket would hang whoever reads it; a link that leads nowhere fails when it is its turn.
        yield from (path for name in _shown(names) if (path := Path(folder, name)).is_file() or not path.exists())


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith(".")]


def without_password(uri: str) -> str:
    """Return a path as it may be shown: somebody may have forgotten the rtsp:// of a camera."""
    return redact(re.sub(r".*:.*@", f"{HIDDEN}@", uri, flags=re.DOTALL))


def _not_readable(path: Path) -> ConfigError:
    return ConfigError(f"{path} may not be read: permission denied")
