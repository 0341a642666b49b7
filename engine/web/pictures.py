"""Pictures that the live strip shows: the newest, within a bound of bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from starlette.responses import Response

FOR_EVER = "private, max-age=86400, immutable"
"""Of a picture that its address names for good; for this browser alone, not for a proxy."""
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Picture:
    """A file of a picture."""

    content: bytes
    media_type: str

    def response(self, cache: str) -> Response:
        """Return it as it is sent: no browser takes it for a page."""
        headers = {
            "Cache-Control": cache,
            "Content-Disposition": "inline",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(self.content, headers=headers, media_type=self.media_type)


class PictureRing:
    """Pictures by name; the oldest give way."""

    def __init__(self) -> None:
        self._pictures: OrderedDict[str, Picture] = OrderedDict()
        self.size_bytes = 0

    def put(self, name: str, picture: Picture) -> None:
        """Keep a picture; one that is larger than everything is not kept."""
        if len(picture.content) > _MOST_BYTES:
            return
        if (before := self._pictures.pop(name, None)) is not None:
            self.size_bytes -= len(before.content)
        self._pictures[name] = picture
        self.size_bytes += len(picture.content)
        while self.size_bytes > _MOST_BYTES:
            _, gone = self._pictures.popitem(last=False)
            self.size_bytes -= len(gone.content)

    def find(self, name: str) -> Picture | None:
        """Return a picture, None where it is not there, or not any more."""
        return self._pictures.get(name)
