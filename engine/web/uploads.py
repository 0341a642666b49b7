"""Pictures that come with a request: bounded in bytes and number here, and decoded nowhere here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.requests import Request

from engine.control.verbs import MOST_PICTURES, Picture
from engine.web.bodies import JSON_BYTES, read_body, read_object
from engine.web.context import Web
from engine.web.problems import Refusal

_MOST_NAME = 200


@asynccontextmanager
async def one_upload(web: Web) -> AsyncIterator[None]:
    """Hold one of the few places for requests with pictures.

    Raises:
        Refusal: all are taken.
    """
    if web.uploads.locked():
        raise Refusal("busy", "too many pictures are being uploaded: ask again", headers={"Retry-After": "2"})
    async with web.uploads:
        yield


async def read_upload(web: Web, request: Request) -> Picture | dict[str, object]:
    """Return the picture that is the body, or the object where the body is JSON.

    Raises:
        Refusal: it is too large, or nothing.
    """
    most = web.settings.http.upload_bytes
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return await read_object(request, most * 4 // 3 + JSON_BYTES)
    if not (kind.startswith("image/") or kind == "application/octet-stream"):
        raise Refusal(
            "bad_request",
            "send one picture as image/…, or application/json with `content` in base64",
            "Content-Type",
            status=415,
        )
    content = await read_body(request, most)
    if not content:
        raise Refusal("bad_request", "the body is empty: send a picture", "picture")
    return Picture(content=content, name=request.query_params.get("file", "")[:_MOST_NAME])


def check_pictures(web: Web, pictures: Sequence[Picture]) -> None:
    """Refuse none, too many, and too many bytes.

    Raises:
        Refusal: it is one of these.
    """
    if not 1 <= len(pictures) <= MOST_PICTURES:
        raise Refusal("bad_request", f"{len(pictures)} pictures: send 1 to {MOST_PICTURES}", "pictures")
    if sum(len(picture.content) for picture in pictures) > web.settings.http.upload_bytes:
        raise Refusal("too_large", f"the pictures have more than {web.settings.http.upload_bytes:,} bytes", "pictures")
    if not all(picture.content for picture in pictures):
        raise Refusal("bad_request", "a picture is empty", "pictures")
