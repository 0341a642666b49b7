"""uvicorn, as the web process wants it: it answers at a socket that listens already, and says nothing by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator

import uvicorn

from engine.web.app import build_app
from engine.web.connections import protocol
from engine.web.console_files import ConsoleFiles
from engine.web.context import Web
from engine.web.door import HEADER_BYTES
from engine.web.listening import BACKLOG
from engine.web.report import Report

_KEEP_ALIVE_SECONDS, _SHUTDOWN_SECONDS, _HANDSHAKE_SECONDS = 15, 2, 10


class Server(uvicorn.Server):
    """Leaves signals to whoever started it, and cuts who does not finish the handshake of TLS."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        config, loop = self.config, asyncio.get_running_loop()

        def connection() -> asyncio.Protocol:
            made: Callable[..., asyncio.Protocol] = config.http_protocol_class
            return made(config=config, server_state=self.server_state, app_state=self.lifespan.state)

        patience = _HANDSHAKE_SECONDS if config.ssl else None
        self.servers = [
            await loop.create_server(connection, sock=opened, ssl=config.ssl, ssl_handshake_timeout=patience, backlog=BACKLOG)
            for opened in sockets or []
        ]
        self.started = True


def server_of(web: Web, tls: ssl.SSLContext | None, console: ConsoleFiles | None) -> Server:
    """Return what answers requests.

    Args:
        web: what the handlers share.
        tls: what TLS is spoken with; None: it is not.
        console: its files; None: those of the package.
    """
    logging.getLogger("uvicorn.error").addHandler(_ToReport(web.report))
    logging.getLogger("uvicorn.error").propagate = False
    config = uvicorn.Config(
        build_app(web, console),
        http=protocol(web.bounds),
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,  # whoever asks could say to be anybody
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES,
        backlog=BACKLOG,
    )
    config.load()
    config.ssl = tls
    return Server(config)


class _ToReport(logging.Handler):
    """What uvicorn says, one line a minute for each kind."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report.say(f"uvicorn {record.msg[:80]}", record.getMessage().strip())
