"""Which recordings a run reads."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from engine.config import SourceConfig
from engine.contracts.links import Reading
from engine.contracts.redaction import HIDDEN, redact
from engine.errors import ConfigError, SourceError
from engine.source.appearance import appearance_of
from engine.source.recording_clock import beginning_of, check_clock

# fmt: off
VIDEO_EXTENSIONS = frozenset([
    ".264", ".265", ".3g2", ".3gp", ".asf", ".avc", ".avi", ".dav", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264", ".h265",
    ".hevc", ".ivf", ".m2t", ".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".nut", ".obu", ".ogm", ".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".y4m",
])
# fmt: on
"""What a directory is searched for; a file that is named outright may have any extension."""
_FILE_URL = re.compile(r"file://", re.IGNORECASE)


@dataclass(frozen=True)
class Recording:
    """One file of a run."""

    name: str
    """Of its stream: unique within the run and usable in a topic."""
    path: Path
    reading: Reading = field(default_factory=Reading)


def recordings_of(source: SourceConfig, warn: Callable[[str], None] = lambda sentence: None) -> list[Recording]:
    """Return the files of one source, sorted by path, nameless where it gives no name.

    ``warn`` is called with a sentence where a file's name does not hold the time that it should.

    A source is a file, a directory (searched recursively for ``VIDEO_EXTENSIONS``, hidden files left out) or a glob.

    Raises:
        ConfigError: the name or the start time is given to several files; a directory holds no recording; a glob matches none;
            a key tells no time.
        SourceError: a path does not exist (``not_found``) or may not be read (``permission``).
    """
    paths = _files_of(source.uri)
    if source.name and len(paths) > 1:
        raise ConfigError(
            f"the name {source.name!r} cannot stand for the {len(paths)} files of {source.uri}: leave it out, "
            "names are then made from the file names"
        )
    if source.start_time and len(paths) > 1:
        raise ConfigError(
            f"the start time {source.start_time} cannot be that of all {len(paths)} files of {source.uri}: give them one by "
            "one, or take it from their names (clock_from)"
        )
    check_clock(source)
    return [Recording(source.name, path, _reading(source, path, warn)) for path in paths]


def _reading(source: SourceConfig, path: Path, warn: Callable[[str], None]) -> Reading:
    started_ns, clock = beginning_of(source, path, warn)
    trusts_metadata = source.clock_from in ("", "creation_time")
    return Reading(appearance_of(source), source.video_stream, started_ns, clock, trusts_metadata)


def _files_of(uri: str) -> list[Path]:
    path = _local_path(uri)
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if glob.has_magic(str(path)):
            return _matches(path)
        raise SourceError(f"{_without_password(uri)} does not exist: check the path", "not_found") from error
    except PermissionError as error:
        raise _not_readable(path) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{uri!r} is not a path: {error}") from error
    if path.is_dir():
        files = sorted(_videos_below(path))
        if not files:
            raise ConfigError(f"the directory {uri} holds no video file (looked for {', '.join(sorted(VIDEO_EXTENSIONS))})")
        return files
    if not path.is_file():
        raise ConfigError(f"{uri} is neither a file nor a directory (mode {kind:o}): give a recorded file")
    if not os.access(path, os.R_OK):
        raise _not_readable(path)
    return [path]


def _local_path(uri: str) -> Path:
    if not uri:
        raise ConfigError("a source has an empty uri: give a path, a directory or a glob")
    if _FILE_URL.match(uri):
        return Path(unquote(urlsplit(uri).path))
    return Path(uri).expanduser()


def _matches(pattern: Path) -> list[Path]:
    matched = {Path(match) for match in glob.iglob(str(pattern), recursive=True)}
    # "archive/*" means the recordings in it, "archive/*.dat" means just what it says.
    any_kind = pattern.suffix in {"", ".*"}
    files = sorted(p for p in matched if p.is_file() and (not any_kind or p.suffix.lower() in VIDEO_EXTENSIONS))
    if not files:
        raise ConfigError(f"no {'video ' if any_kind else ''}file matches {pattern}")
    for path in files:
        if not os.access(path, os.R_OK):
            raise _not_readable(path)
    return files


def _videos_below(directory: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise _not_readable(Path(error.filename or directory)) from error

    for folder, folders, names in os.walk(directory, onerror=refuse):
        folders[:] = _shown(folders)
        for name in _shown(names):
            if Path(name).suffix.lower() in VIDEO_EXTENSIONS:
                yield Path(folder, name)


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith(".")]


def _without_password(uri: str) -> str:
    """Somebody may have forgotten the rtsp:// of a camera."""
    return redact(re.sub(r".*:.*@", f"{HIDDEN}@", uri, flags=re.DOTALL))


def _not_readable(path: Path) -> SourceError:
    return SourceError(f"{path} may not be read: permission denied", "permission")
