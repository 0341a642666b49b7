"""What every request goes through first, and every answer last: the name it asks under, and the headers that browsers obey."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.web.origins import check_host
from engine.web.problems import Refusal

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": CONTENT_SECURITY_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
    b"cache-control": b"no-store",
}
"""Where an answer has none of its own."""
HEADER_BYTES = 32 * 1024
"""Address and headers together."""
_MOST_HEADERS = 100
_TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")


_CLOSE = {"Connection": "close"}


class Door:
    """Stands before the application.

    Args:
        app: what is behind it.
        names: under which browsers may ask, in small letters, besides ``localhost`` and addresses.
        secure: TLS is spoken.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], *, secure: bool) -> None:
        self._app, self._names, self._secure = app, frozenset(names), secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = [pair for pair in _HEADERS.items() if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *added, *([_TLS_ONLY] if self._secure else [])]}
            await send(message)

        try:
            _check_frame(scope)
            check_host(Request(scope), self._names)
        except Refusal as refusal:
            await refusal.response()(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def _check_frame(scope: Scope) -> None:
    """Refuse what is legal, and means something else to some proxies: after it the connection is closed.

    Raises:
        Refusal: the request says in two ways where it ends, or its head is too large, which h11 lets pass if it comes at once.
    """
    names = [name for name, _ in scope["headers"]]
    if b"transfer-encoding" in names and b"content-length" in names:
        raise Refusal("bad_request", "send Content-Length or Transfer-Encoding, not both", "Content-Length", headers=_CLOSE)
    size = len(scope["raw_path"]) + len(scope["query_string"]) + sum(len(name) + len(value) for name, value in scope["headers"])
    if size > HEADER_BYTES or len(names) > _MOST_HEADERS:
        raise Refusal("too_large", "the request has too many or too long headers", status=431, headers=_CLOSE)
