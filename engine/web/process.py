"""The web process: a client of the service like any other. It may be slow, stopped or dead, and no camera notices.

python -m engine.web.process SETTINGS    with ``WebSettings`` as JSON; there is no secret in it
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec
import uvicorn

from engine.contracts.http import HttpSettings, check_exposure, split_address, stays_here, tls_context
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, FacestreamError, FatalError, PublishError
from engine.web.app import build_app
from engine.web.auth import Auth
from engine.web.connections import Bounds, protocol
from engine.web.console_files import ConsoleFiles
from engine.web.context import Web
from engine.web.door import HEADER_BYTES
from engine.web.events import send_status
from engine.web.fan import Fan
from engine.web.fleet import FleetCache
from engine.web.link import ServiceLink, StatusCache
from engine.web.report import Report
from engine.web.sessions import LINK_SECONDS
from engine.web.settings import WebSettings
from engine.web.tap import Tap
from engine.web.timeline import Timeline
from engine.web.tokens import TokenFolder

_BACKLOG = 128
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
"""In seconds, between attempts to listen."""
_NICE = 5
"""The cameras come first."""
_KEEP_ALIVE_SECONDS, _SHUTDOWN_SECONDS, _HANDSHAKE_SECONDS = 15, 2, 10


def main(settings: WebSettings) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code.

    Raises:
        ConfigError: what is configured can never work, or others could read what is sent.
        FatalError: a part of it has ended; the service starts another process.
    """
    check_exposure(settings.http)
    tls_context(settings.http)
    report = Report()
    with listening_at_last(settings.http, report) as opened:
        asyncio.run(_until_a_signal(settings, report, opened))
    return 0


@contextlib.contextmanager
def listening_at_last(
    http: HttpSettings, report: Report, pause: Callable[[float], object] = time.sleep
) -> Iterator[socket.socket]:
    """Give a socket that listens at the address, as soon as it can: whoever has the port may go, and an interface come up."""
    with contextlib.ExitStack() as closing:
        for seconds in itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1])):
            try:
                opened = closing.enter_context(listening(http))
            except PublishError as error:
                report.say("listen", f"there is no console yet: {error}; it keeps trying")
                pause(seconds)
            else:
                break
        yield opened


@contextlib.contextmanager
def listening(http: HttpSettings) -> Iterator[socket.socket]:
    """Give a socket that listens at the address.

    Raises:
        ConfigError: it is not HOST:PORT.
        PublishError: it cannot listen there now.
    """
    host, port = split_address(http.address)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        opened = socket.socket(family, kind)
    except OSError as error:
        raise PublishError(f"serve.http is {http.address}: {error.strerror}") from error
    with opened:
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(_BACKLOG)
        except OSError as error:
            raise PublishError(f"cannot listen at {http.address} (serve.http): {error.strerror}") from error
        yield opened


@contextlib.asynccontextmanager
async def serving(
    settings: WebSettings,
    report: Report,
    opened: socket.socket,
    *,
    bounds: Bounds | None = None,
    console: ConsoleFiles | None = None,
) -> AsyncIterator[Web]:
    """Answer requests at a socket that listens already, for as long as the block lasts; ``Web.ended`` says when it should not
    last any longer."""
    loose = Bounds() if bounds is None else bounds
    tls = tls_context(settings.http)
    tokens = TokenFolder(settings.tokens)
    link = ServiceLink(settings.control, report)
    fan = Fan()
    web = Web(
        settings=settings,
        report=report,
        auth=Auth(tokens, report, secure=tls is not None, port=split_address(settings.http.address)[1]),
        link=link,
        status=StatusCache(link),
        fan=fan,
        tap=Tap(settings.tap, settings.previews_endpoint, fan, report),
        timeline=Timeline(settings.runs),
        bounds=loose,
        fleet=FleetCache(settings.fleet_database, settings.fleet_node) if settings.fleet_database else None,
    )
    server = _Server(_config(web, tls, console))
    jobs = {"link": link.run(), "tap": web.tap.run(), "status": send_status(web.status, fan)}
    tasks = [asyncio.create_task(job, name=name) for name, job in jobs.items()]
    answering = asyncio.create_task(server.serve(sockets=[opened]), name="answering")
    for task in (*tasks, answering):
        task.add_done_callback(lambda task: _note(web, task))
    try:
        yield web
    finally:
        fan.close()
        server.should_exit = True
        await asyncio.gather(answering, return_exceptions=True)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        web.tap.close()
        link.close()
        if web.fleet is not None:
            await web.fleet.close()


def _note(web: Web, task: asyncio.Task[None]) -> None:
    """Remember what has ended first, and why: without it the rest would only seem to work."""
    if not web.ended.done():
        error = None if task.cancelled() else task.exception()
        web.ended.set_result(f"{task.get_name()} has ended: {error!r}")


async def _until_a_signal(settings: WebSettings, report: Report, opened: socket.socket) -> None:
    stop = asyncio.Event()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of a terminal that is closed: the service drains, and then ends this process
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(settings, report, opened) as web:
        sys.stdout.write("listening\n")  # for the service: from here on it is there
        sys.stdout.flush()
        _say_where(settings, report, web, _url(settings.http, opened))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((stopping, web.ended), return_when=asyncio.FIRST_COMPLETED)
        web.auth.asked_link.closed()
        if not stopping.done():
            stopping.cancel()
            raise FatalError(web.ended.result())


def _say_where(settings: WebSettings, report: Report, web: Web, url: str) -> None:
    try:
        web.auth.asked_link.opened(url)
    except OSError as error:
        report.tell(f"`facestream tokens link` will not work: cannot write to {settings.tokens}: {error.strerror}")
    if stays_here(settings.http) and not TokenFolder(settings.tokens).entries():
        report.tell(f"the console is at {url}")
        report.tell(
            f"there are no tokens yet; this link lets one browser in, once: {url}login/{web.auth.link.make()} "
            f"(for {LINK_SECONDS // 60:.0f} minutes, and until there is a token; `facestream tokens link` makes another)"
        )
    else:
        report.tell(f"the console is at {url}: log in with a token, or with a link of `facestream tokens link`")


def _url(http: HttpSettings, opened: socket.socket) -> str:
    host = http.address.rpartition(":")[0]
    return f"{'https' if http.tls_certificate else 'http'}://{host}:{opened.getsockname()[1]}/"


class _Server(uvicorn.Server):
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
            await loop.create_server(connection, sock=opened, ssl=config.ssl, ssl_handshake_timeout=patience, backlog=_BACKLOG)
            for opened in sockets or []
        ]
        self.started = True


def _config(web: Web, tls: ssl.SSLContext | None, console: ConsoleFiles | None) -> uvicorn.Config:
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
        backlog=_BACKLOG,
    )
    config.load()
    config.ssl = tls
    return config


class _ToReport(logging.Handler):
    """What uvicorn says, one line a minute for each kind."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report.say(f"uvicorn {record.msg[:80]}", record.getMessage().strip())


def run(arguments: list[str]) -> int:
    """Serve what the command line says; return the exit code."""
    try:
        try:
            settings = msgspec.json.decode(" ".join(arguments), type=WebSettings)
        except UNREADABLE as error:
            raise ConfigError(f"the settings of the web process cannot be read: {error}") from error
        return main(settings)
    except FacestreamError as error:
        sys.stderr.write(f"web: {error}\n")
        return error.exit_code


if __name__ == "__main__":
    os.nice(_NICE)
    sys.exit(run(sys.argv[1:]))
