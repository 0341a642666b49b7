"""The photographs that people were enrolled with, beside their tracks.

The gallery keeps none: they are found by their SHA-256 in a folder that whoever makes the report names.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

from engine.contracts.manifest import sha256_of
from engine.errors import UsageError
from engine.pictures.decode import decoded
from engine.pictures.encode import small_jpeg
from engine.verify.gallery.opening import Where, open_gallery

_LONGEST_PX = 360
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})


class Portraits:
    """One photograph of each person, put into a page once however often it is shown.

    Args:
        gallery: whom the tracks were compared with, see ``gallery_file``.
        folder: of photographs, and folders of them.

    Raises:
        UsageError: there is no such folder.
        GalleryError: the gallery cannot be read.
    """

    def __init__(self, gallery: Where, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder: name the one with the photographs that people were enrolled with")
        with open_gallery(gallery, read_only=True) as opened:
            self._digests = {
                one.name: [picture.picture_sha256 for picture in opened.pictures(one.name)] for one in opened.list()
            }
        self._files: dict[str, Path] = {}
        self.unreadable: list[str] = []
        """A sentence for each file that could not be read."""
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in _SUFFIXES:
                self._add(path)
        self._shown: dict[str, tuple[int, str]] = {}

    def _add(self, path: Path) -> None:
        try:
            if path.is_file():  # nothing else: a pipe would never end
                self._files[sha256_of(path)] = path
        except OSError as error:
            self.unreadable.append(f"{path} cannot be read, and is not looked at: {error.strerror}")

    def figure(self, identity: str) -> str:
        """Return the photograph of a person; empty where none is in the folder."""
        path = next((self._files[one] for one in self._digests.get(identity, ()) if one in self._files), None)
        if path is None:
            return ""
        if identity not in self._shown:
            if not (small := _small(path)):
                return ""
            self._shown[identity] = len(self._shown), small
        number = self._shown[identity][0]
        said = f"enrolled as {escape(identity)}"
        return (
            f'<figure class="portrait"><i class="photo p{number}" role="img" aria-label="{said}"></i>'
            f"<figcaption>{said}: {escape(path.name)}</figcaption></figure>"
        )

    def rules(self) -> Iterator[str]:
        """Yield the style of the photographs that were shown."""
        for number, address in self._shown.values():
            yield f".p{number} {{ background-image: url({address}); }}\n"


def _small(path: Path) -> str:
    try:
        picture = decoded(path.read_bytes())
    except OSError:
        return ""
    if picture is None:
        return ""
    small = small_jpeg(picture, _LONGEST_PX, quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(small).decode()}"
