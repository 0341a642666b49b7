"""The console's files: read once, so that no request can name a path."""

from __future__ import annotations

import hashlib
import importlib.resources
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from engine.web.problems import Refusal

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}
_NO_PAGE = (
    b"<!doctype html><title>facestream</title><p>The console is not part of this installation; its API is under /api/v1.\n"
)


class ConsoleFiles:
    """Files by name.

    Args:
        files: what there is; None: what is installed.
    """

    def __init__(self, files: Mapping[str, bytes] | None = None) -> None:
        self._files = _installed() if files is None else dict(files)
        self._files.setdefault("index.html", _NO_PAGE)
        self._tags = {name: f'"{hashlib.sha256(content).hexdigest()[:32]}"' for name, content in self._files.items()}

    def answer(self, name: str, request: Request) -> Response:
        """Return a file, or that the browser has it already.

        Raises:
            Refusal: there is none of this name.
        """
        if name not in self._files:
            raise Refusal("not_found", "there is no such file")
        headers = {"ETag": self._tags[name], "Cache-Control": "no-cache"}
        if self._tags[name] in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        return Response(self._files[name], headers=headers, media_type=_MEDIA_TYPES[name.rpartition(".")[2]])


def _installed() -> dict[str, bytes]:
    folder = importlib.resources.files("engine.web").joinpath("console")
    if not folder.is_dir():
        return {}
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.is_file() and file.name.rpartition(".")[2] in _MEDIA_TYPES
    }
