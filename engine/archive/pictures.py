"""The pictures of a run's directory, found by what they are and not by a path."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from engine.archive.files import track_folder
from engine.contracts.messages import Part, PictureName
from engine.contracts.picture_files import MEDIA_TYPE_OF_SUFFIX, SUFFIXES
from engine.errors import PublishError

_NAME = re.compile(r"[a-z0-9_]{1,32}")
_MOST_BYTES = 16 << 20


def picture_name(seq: int, part: Part) -> str:
    """Return the name of the file of a part of a message; a codec of a later version ends with ``.bin``.

    Raises:
        PublishError: the part has a name that may lead out of its folder.
    """
    if not _NAME.fullmatch(part.name):
        raise PublishError(f"a part is called {part.name[:64]!r}: only a-z 0-9 _ are written, so do not trust this publisher")
    return f"{seq:06d}_{part.name}{SUFFIXES.get(part.codec, '.bin')}"


def stored_picture(directory: Path, stream: str, track_id: int, seq: int, name: PictureName) -> Path | None:
    """Return where a picture of a face or track is, None where it is not, or not any more.

    Args:
        directory: of the run.
        stream: a valid name of one.
        track_id: of the track.
        seq: of the message of the face or track.
        name: which of its pictures.
    """
    folder = directory / track_folder(stream, track_id)
    for suffix in MEDIA_TYPE_OF_SUFFIX:
        path = folder / f"{seq:06d}_{name}{suffix}"
        if path.is_file() and not path.is_symlink():
            return path
    return None


def read_picture(path: Path) -> tuple[bytes, str] | None:
    """Return a picture's file and its media type; None where it is gone, a link, no picture, or larger than any of ours."""
    media_type = MEDIA_TYPE_OF_SUFFIX.get(path.suffix)
    if media_type is None:
        return None
    try:
        with open(path, "rb", opener=_straight) as file:
            content = file.read(_MOST_BYTES + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None
    return None if content is None or len(content) > _MOST_BYTES else (content, media_type)


def _straight(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
