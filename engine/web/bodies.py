"""What a request carries: read within bounds of bytes and time, and decoded into the structs of the control plane."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from engine.config.errors import explain
from engine.contracts.unreadable import UNREADABLE
from engine.control.verbs import Verb
from engine.web.problems import Refusal

JSON_BYTES = 256 * 1024
_SECONDS, _SLOWEST_BYTES_PER_SECOND = 15.0, 64 * 1024
_STALLED_BYTES_PER_SECOND = 8 * 1024
"""Whoever sends less holds a place that others need, and is not waited for as long as the largest body may take."""
_DISCARD_SECONDS, _DISCARDED_BYTES = 2.0, 256 << 20
"""Of a body that is too large."""
_AT = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_FIELD = re.compile(r"field `(?P<name>[^`]*)`")
AnyRequest = TypeVar("AnyRequest", bound=Verb)


async def read_body(request: Request, most: int) -> bytes:
    """Return the body.

    Args:
        request: not read yet.
        most: bytes.

    Raises:
        Refusal: it is larger, comes too slowly, or is cut off.
    """
    body, length = request.stream(), request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > most:
        if request.headers.get("expect", "").lower() != "100-continue":  # else it is sent only once we read
            await _discard(body)
        raise _too_large(most)
    pieces: list[bytes] = []
    size = 0
    clock = asyncio.get_running_loop().time
    began = clock()
    latest = began + _SECONDS + most / _SLOWEST_BYTES_PER_SECOND
    try:
        async with asyncio.timeout(_SECONDS) as patience:
            async for piece in body:
                size += len(piece)
                patience.reschedule(min(latest, clock() + _SECONDS, began + _SECONDS + size / _STALLED_BYTES_PER_SECOND))
                if size > most:
                    break
                pieces.append(piece)
    except TimeoutError as error:
        raise Refusal(
            "deadline", "the request's body did not come in time", status=408, headers={"Connection": "close"}
        ) from error
    except ClientDisconnect as error:
        raise Refusal("bad_request", "the request's body was cut off") from error
    if size > most:
        pieces.clear()
        await _discard(body)
        raise _too_large(most)
    return b"".join(pieces)


async def read_object(request: Request, most: int = JSON_BYTES) -> dict[str, Any]:
    """Return the JSON object that is the body; an empty one where there is no body.

    Raises:
        Refusal: it is something else.
    """
    body = await read_body(request, most)
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # what a form of another site's page cannot send
        raise Refusal("bad_request", f"the body is {kind or 'of no type'}: send application/json", "Content-Type", status=415)
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        raise Refusal("bad_request", f"the body is not a JSON object: {error}") from error


def as_verb(fields: dict[str, Any], kind: type[AnyRequest], given: dict[str, Any]) -> AnyRequest:
    """Return a request of the control plane.

    Args:
        fields: of the body.
        kind: which request.
        given: fields that the path says.

    Raises:
        Refusal: it does not fit; the field that is wrong is named.
    """
    for name, value in given.items():
        if name in fields and fields[name] != value:
            raise Refusal("bad_request", f"{name} is {value!r} in the path, and something else in the body", name)
    try:
        return msgspec.convert({**fields, **given}, kind)
    except msgspec.ValidationError as error:
        message = str(error)
        at = _AT.search(message)
        what = message[: at.start()] if at else message
        inner = _FIELD.search(what)
        path = ".".join(part for part in (at["path"] if at else "", inner["name"] if inner else "") if part)
        words = explain(message, kind, None, "").removeprefix("command line: ")
        raise Refusal("bad_request", words, path) from error


async def _discard(body: AsyncIterator[bytes]) -> None:
    """Take what still comes of a body, within bounds: most clients that are still sending do not see the answer."""
    left = _DISCARDED_BYTES
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for piece in body:
                left -= len(piece)
                if left < 0:
                    return


def _too_large(most: int) -> Refusal:
    return Refusal("too_large", f"the body has more than {most:,} bytes", headers={"Connection": "close"})
