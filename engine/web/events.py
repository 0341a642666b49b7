"""Server-Sent Events: what happens, while it happens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.contracts.messages import check_stream_name
from engine.control.answers import Status
from engine.errors import ConfigError
from engine.web.fan import KINDS, Client, Fan, encode
from engine.web.link import StatusCache
from engine.web.problems import Refusal
from engine.web.tap import Tap

_HEARTBEAT_SECONDS, _STATUS_SECONDS, _ASK_SECONDS = 10.0, 1.0, 1.0
_MOST_STREAMS = 512
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def asked_for(request: Request, name: str) -> Client:
    """Return the queue that a request asks for: ``kinds`` and ``streams``, lists with commas.

    Args:
        request: of somebody who is known.
        name: of that one.

    Raises:
        Refusal: a kind is not known, a name is no stream's, or there are too many of them.
    """
    kinds = [kind for kind in request.query_params.get("kinds", "").split(",") if kind]
    if unknown := set(kinds).difference(KINDS):
        raise Refusal("bad_request", f"{', '.join(sorted(unknown))}: use some of {', '.join(KINDS)}", "kinds")
    streams = request.query_params.get("streams")
    names = None if streams is None else [name for name in streams.split(",") if name]
    if names is not None and len(names) > _MOST_STREAMS:
        raise Refusal("bad_request", f"more than {_MOST_STREAMS} streams", "streams")
    try:
        for name in names or ():
            check_stream_name(name)
    except ConfigError as error:
        wrong = "streams: a name has more than 64 characters, or others than A-Z a-z 0-9 _ . -"
        raise Refusal("bad_request", wrong, "streams") from error
    return Client(kinds or KINDS, names, name)


class EventStream(Response):
    """An answer that goes on until the browser leaves or is no longer let in.

    Args:
        client: its queue, which has not joined yet.
        fan: where events come from.
        tap: makes previews while somebody wants them.
        request: may say what the browser had last.
        still: whether the asker is still let in; asked about once a second.
        shown: streams whose previews are made for it; None: of all.
    """

    def __init__(
        self,
        client: Client,
        fan: Fan,
        tap: Tap,
        request: Request,
        still: Callable[[], bool],
        shown: frozenset[str] | None,
    ) -> None:
        self._client, self._fan, self._tap, self._still, self._shown = client, fan, tap, still, shown
        fan.join(client, request.headers.get("last-event-id", ""))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events; a reader that stops reading holds nobody but itself up."""
        gone = asyncio.create_task(_gone(receive))
        sending = asyncio.create_task(self._send(send))
        try:
            with self._tap.watching(self._shown):
                await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._fan.leave(self._client)
            for task in (gone, sending):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": b"retry: 2000\n\n", "more_body": True})
        asked_at = time.monotonic()
        while True:
            text = await self._client.next(_HEARTBEAT_SECONDS)
            if self._client.is_over:
                break
            if time.monotonic() - asked_at >= _ASK_SECONDS:
                if not self._still():
                    break
                asked_at = time.monotonic()
            await send({"type": "http.response.body", "body": text or b": still here\n\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def send_status(status: StatusCache, fan: Fan) -> None:
    """Tell everybody once a second how the service stands, for ever; nobody is asked while nobody listens."""
    while True:
        if any("status" in client.kinds for client in fan.clients):
            with suppress(Refusal):
                found: Status = await status.get()
                fan.send("status", "", encode(found))
        await asyncio.sleep(_STATUS_SECONDS)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
