"""Connections: how many there may be, and how long one may take to ask."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from h11 import LocalProtocolError
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from engine.web.auth import PEER_NAME


@dataclass
class Bounds:
    """Of all connections of one server."""

    most: int = 256
    most_per_address: int = 128
    asking_seconds: float = 15.0
    """From the connection, or the last answer, to the end of the headers of the next request."""
    unread_seconds: float = 60.0
    """A reader that takes nothing for so long is cut, and the system has the memory back."""
    open: Counter[str] = field(default_factory=Counter)
    """Connections by address."""
    refused: int = 0


def protocol(bounds: Bounds) -> type[H11Protocol]:
    """Return a protocol for ``uvicorn.Config(http=...)`` that keeps to these bounds."""

    class BoundedProtocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None
        _address: str | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            address = self.client[0] if self.client else "?"
            if bounds.open.total() >= bounds.most or bounds.open[address] >= bounds.most_per_address:
                bounds.refused += 1
                transport.abort()
                return
            self._address = address
            bounds.open[address] += 1
            _cut_where_unread(transport, bounds.unread_seconds)
            if name := _common_name(transport):
                self.app = _with_name(self.app, name)
            self._wait_for_request()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            if self._address is not None:
                bounds.open[self._address] -= 1
                if not bounds.open[self._address]:
                    del bounds.open[self._address]
                self._address = None
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop_waiting()

        def send_400_response(self, msg: str) -> None:
            """What follows is no HTTP: whoever still answers the request before it answers nobody."""
            if self.cycle is not None and not self.cycle.response_complete:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
                if self.cycle.response_started:  # in the middle of an answer another one cannot begin
                    self.transport.close()
                    return
            with suppress(LocalProtocolError):  # the answer to a HEAD has no body, and an answered request gets no second one
                super().send_400_response(msg)
            self.transport.close()

        def on_response_complete(self) -> None:
            self._wait_for_request()
            super().on_response_complete()
            if self.cycle is not None and not self.cycle.response_complete:  # the next one was there already
                self._stop_waiting()

        def _wait_for_request(self) -> None:
            self._stop_waiting()
            self._timer = self.loop.call_later(bounds.asking_seconds, self.transport.abort)

        def _stop_waiting(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return BoundedProtocol


def _cut_where_unread(transport: Any, seconds: float) -> None:
    opened = transport.get_extra_info("socket")
    if opened is not None and opened.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_USER_TIMEOUT"):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _common_name(transport: Any) -> str:
    """Return the common name of the certificate that the client has shown; empty where there is none, or several."""
    tls = transport.get_extra_info("ssl_object")
    shown = (tls.getpeercert() if tls is not None else None) or {}
    names = [value for part in shown.get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if len(names) == 1 else ""


def _with_name(app: Any, name: str) -> ASGIApp:
    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        scope[PEER_NAME] = name
        await app(scope, receive, send)

    return named
