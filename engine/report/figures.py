"""Pictures of the report: inside it as long as there is room, else read from beside it."""

from __future__ import annotations

import base64
import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from engine.archive.files import inside
from engine.archive.pictures import read_picture
from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.picture_files import MEDIA_TYPE_OF_SUFFIX
from engine.words.times import clock

MARK = "AI-enhanced: not for identification"
"""Stands with every picture that a model has made."""


class Pictures:
    """The pictures of a run's directory, for a page.

    Args:
        directory: of the run.
        page: the file of the page, for addresses relative to it.
        room_bytes: of pictures that the page holds itself; those that come later are read from beside it when they are shown.
    """

    def __init__(self, directory: Path, page: Path, room_bytes: int) -> None:
        self._directory, self._room_bytes = directory, room_bytes
        self._before = (
            "" if directory.absolute() == page.absolute().parent else f"{address(directory, page.absolute().parent)}/"
        )
        self._straight: dict[str, bool] = {}
        self.beside = 0
        """Pictures that the page does not hold."""

    def img(self, name: str | None, alt: str = "", title: str = "") -> str:
        """Return a picture, which links to its file; empty where that is not there any more, or not in the directory.

        Args:
            name: of the file, from the directory on.
            alt: what it shows, for whoever does not see it; empty: ``title``.
            title: what hovering tells.
        """
        path = self._directory / name if name else None
        if not name or path is None or path.suffix not in MEDIA_TYPE_OF_SUFFIX or not self._is_ours(name) or not path.is_file():
            return ""
        file = f"{self._before}{escape(quote(name))}"
        said = f' alt="{escape(alt or title)}"' + (f' title="{escape(title)}"' if title else "")
        source = self._source(path, file)
        # What the page holds is there at once: programs that print pages do not wait for what is lazy.
        lazy = ' loading="lazy"' if source == file else ""
        return f'<a class="pic" href="{file}"><img src="{source}"{said}{lazy}></a>'

    def _is_ours(self, name: str) -> bool:
        """Whether a name leads to a file in the directory, and over no link; folders are looked at once."""
        folder, _, file = name.rpartition("/")
        if folder not in self._straight:
            self._straight = {folder: inside(self._directory, f"{folder}/_") is not None}
        try:
            return self._straight[folder] and file not in ("", "..") and not (self._directory / name).is_symlink()
        except OSError:  # no name that a file can have
            return False

    def _source(self, path: Path, file: str) -> str:
        size = path.stat().st_size
        if size > self._room_bytes:
            self._room_bytes = 0  # the order says what matters: nothing that comes later goes before it
            self.beside += 1
            return file
        self._room_bytes -= size
        return f"data:{MEDIA_TYPE_OF_SUFFIX[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def read(directory: Path, name: str | None) -> tuple[str, bytes] | None:
    """Return media type and bytes of a picture, None where the file is not there any more, or not in the directory."""
    return read_at(inside(directory, name) if name else None)


def read_at(path: Path | None) -> tuple[str, bytes] | None:
    """Return media type and bytes of a picture of a run, None where the file is not there any more, or none is named."""
    found = read_picture(path) if path is not None else None
    return (found[1], found[0]) if found else None


def embedded(picture: tuple[str, bytes], alt: str = "") -> str:
    """Return a picture, its media type and its bytes, which the page holds itself."""
    return f'<img src="data:{picture[0]};base64,{base64.b64encode(picture[1]).decode()}" alt="{escape(alt)}">'


def address(path: Path, folder: Path) -> str:
    """Return a file's address relative to a folder, as it may stand in an attribute."""
    return escape(quote(os.fsencode(os.path.relpath(path, folder))))  # names need not be UTF-8


def figure(img: str, kind: str, caption: str, mark: str = "", over: str = "") -> str:
    """Return a picture with what is said of it; nothing without the picture.

    Args:
        img: of ``Pictures.img``.
        kind: classes of the figure.
        caption: below it.
        mark: what must be known of it, below that; of what a model has made.
        over: HTML that lies over the picture.
    """
    note = f'<span class="mark">{mark}</span>' if mark else ""
    return f'<figure class="{kind}">{img}{over}<figcaption>{escape(caption)}</figcaption>{note}</figure>' if img else ""


def small(pictures: Pictures, line: FaceLine, note: str = "") -> str:
    """Return a face as a small picture; its enhanced form is marked as such. ``note`` stands behind what hovering tells."""
    enhanced = line.face.enhanced is not None and "enhanced" in line.files
    title = f"{clock(line.face.pts_seconds)}, {line.face.quality.size_px:.0f} px{note}{', ' + MARK if enhanced else ''}"
    img = pictures.img(line.files.get("enhanced") or line.files.get("original"), title=title)
    return f'<span class="small{" enhanced" if enhanced else ""}">{img}</span>' if img else ""


def strip_of(record: TrackRecord, faces: str) -> str:
    """Return a row of small pictures, with how many more faces the track had."""
    more = record.faces_seen - len(record.faces)
    faces += f'<span class="more">+{more:,}</span>' if more > 0 else ""
    return f'<div class="strip">{faces}</div>' if faces else ""
