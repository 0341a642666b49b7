"""Which recordings a run reads, and what their streams are called."""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from engine.config import SourceConfig
from engine.contracts.messages import check_stream_name
from engine.errors import ConfigError, SourceError, UsageError

# fmt: off
VIDEO_EXTENSIONS = frozenset([
    ".264", ".265", ".3g2", ".3gp", ".asf", ".avc", ".avi", ".dav", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264", ".h265",
    ".hevc", ".ivf", ".m2t", ".m2ts", ".m2v", ".m4v", ".mj2", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".nut", ".obu", ".ogm", ".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".wtv", ".y4m",
])
# fmt: on
"""What a directory is searched for; a file that is named outright may have any extension."""
NAME_LENGTH = 64
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/{2,}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Recording:
    """One file and the name of its stream, unique within the run and usable in a topic."""

    name: str
    path: Path


def expand_sources(sources: Sequence[SourceConfig]) -> list[Recording]:
    """Return the recordings that the sources stand for, in their order; those of a directory or glob sorted by path.

    A source is a file, a directory (searched recursively for ``VIDEO_EXTENSIONS``, hidden files left out) or a glob. A name
    that is not given is made from the file's name.

    Raises:
        ConfigError: a name is invalid, given twice, or given to several files; a directory holds no recording; a glob matches
            none.
        SourceError: a path does not exist (``not_found``) or may not be read (``permission``).
        UsageError: the source is a camera or another URL.
    """
    found: list[tuple[str, Path]] = []
    for source in sources:
        paths = _files_of(source.uri)
        if source.name and len(paths) > 1:
            raise ConfigError(
                f"the name {source.name!r} cannot stand for the {len(paths)} files of {source.uri}: leave it out, "
                "names are then made from the file names"
            )
        found.extend((_checked_name(source.name), path) for path in paths)
    taken: set[str] = set()
    for name in filter(None, (name for name, _ in found)):
        if name in taken:
            raise ConfigError(f"two sources have the name {name!r}: give each its own")
        taken.add(name)
    return [Recording(name or _new_name(path, taken), path) for name, path in found]


def name_from(path: Path) -> str:
    """Return a valid stream name that resembles the file's name; it is not unique."""
    ascii_only = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    return _NOT_IN_NAMES.sub("_", ascii_only).strip("._")[:NAME_LENGTH] or "recording"


def redacted(url: str) -> str:
    """Return a URL's scheme and, where it is certain to hold no secret, its host; users, paths and queries may hold some."""
    scheme, _, rest = url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if rest.count("@") > authority.count("@") or authority.count("@") > 1:
        return f"{scheme}://***"
    return f"{scheme}://{authority.rpartition('@')[2]}" + ("/***" if len(rest) > len(authority) else "")


def _checked_name(name: str) -> str:
    return check_stream_name(name) if name else ""


def _new_name(path: Path, taken: set[str]) -> str:
    base = name = name_from(path)
    number = 1
    while name in taken:
        number += 1
        suffix = f"-{number}"
        name = base[: NAME_LENGTH - len(suffix)] + suffix
    taken.add(name)
    return name


def _files_of(uri: str) -> list[Path]:
    path = _local_path(uri)
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        if glob.has_magic(str(path)):
            return _matches(path)
        raise SourceError(f"{uri} does not exist: check the path", "not_found") from error
    except PermissionError as error:
        raise _not_readable(path) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{uri!r} is not a path: {error}") from error
    if path.is_char_device() or path.is_block_device():
        raise UsageError(
            f"{uri} is a device: live sources come later and are not supported in this version, give recorded files"
        )
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
    url = _URL.match(uri)
    if url and url[1].lower() == "file":
        return Path(unquote(urlsplit(uri).path))
    if url:
        raise UsageError(f"{redacted(uri)} is a URL: live sources come later and are not supported in this version, give files")
    if uri.startswith("/dev/video"):
        raise UsageError(
            f"{uri} is a camera: live sources come later and are not supported in this version, give recorded files"
        )
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


def _not_readable(path: Path) -> SourceError:
    return SourceError(f"{path} may not be read: permission denied", "permission")
