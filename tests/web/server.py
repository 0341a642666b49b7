"""The real server on a real socket, in a thread, and a client that shows what the socket saw."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.web.connections import Bounds
from engine.web.console_files import ConsoleFiles
from engine.web.context import Web
from engine.web.listening import listening
from engine.web.process import serving
from engine.web.report import Report
from engine.web.settings import WebSettings
from engine.web.tokens import TokenFolder
from tests.patience import PATIENCE_SECONDS, until
from tests.web.service import FakeService

FILES = {"index.html": b"<!doctype html><p>console", "main.js": b"// script", "base.css": b"p {}"}


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


@dataclass
class Server:
    """A running server."""

    service: FakeService
    settings: WebSettings
    port: int
    web: Web
    loop: asyncio.AbstractEventLoop
    lines: list[str] = field(default_factory=list)
    """Of the log."""
    token: str = ""
    """With all roles."""

    def said(self, words: str) -> list[str]:
        """Return the lines of the log with these words, once there is one: they are written in a thread."""
        until(lambda: any(words in line for line in list(self.lines)), words)
        return [line for line in self.lines if words in line]

    def token_for(self, name: str, *roles: str) -> str:
        return TokenFolder(self.settings.tokens).add(name, roles)

    def ask(self, method: str, path: str, body: Any = None, *, token: str | None = "", **headers: str) -> Answer:
        """Send one request; a body that is no bytes is sent as JSON. ``token`` None: none is shown."""
        shown = self.token if token == "" else token
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if shown is not None:
            sent["Authorization"] = f"Bearer {shown}"
        if body is not None and not isinstance(body, bytes):
            body, sent = json.dumps(body).encode(), {"Content-Type": "application/json"} | sent
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            return Answer(reply.status, reply.headers, reply.read())

    def raw(self, sent: bytes) -> bytes:
        """Send bytes as they are; return all that comes until the connection is closed."""
        with self.connect() as opened:
            with contextlib.suppress(OSError):
                opened.sendall(sent)
            return everything(opened)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)


def everything(opened: socket.socket) -> bytes:
    """Return what comes until the other side closes, in whatever way."""
    pieces = []
    with contextlib.suppress(ConnectionError):
        while piece := opened.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@contextlib.contextmanager
def server(service: FakeService, bounds: Bounds | None = None, **http: Any) -> Iterator[Server]:
    """Run a server for as long as the block lasts."""
    settings, ready = service.settings(**http), threading.Event()
    made: dict[str, Any] = {}
    lines: list[str] = []

    def fall(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a callback of the loop raised belongs to the log, too."""
        lines.append(f"Exception: {context['message']}")
        loop.default_exception_handler(context)

    async def run(opened: socket.socket) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(fall)
        async with serving(settings, Report(lines.append), opened, bounds=bounds, console=ConsoleFiles(FILES)) as web:
            made.update(web=web, loop=asyncio.get_running_loop(), stop=stop)
            ready.set()
            await stop.wait()

    with listening(settings.http) as opened:
        thread = threading.Thread(target=lambda: asyncio.run(run(opened)), daemon=True)
        thread.start()
        assert ready.wait(PATIENCE_SECONDS)
        running = Server(service, settings, opened.getsockname()[1], made["web"], made["loop"], lines)
        try:
            yield running
        finally:
            made["loop"].call_soon_threadsafe(made["stop"].set)
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
