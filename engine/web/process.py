"""The web process: a client of the service like any other. It may be slow, stopped or dead, and no camera notices.

python -m engine.web.process SETTINGS    with ``WebSettings`` as JSON; there is no secret in it
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator

import msgspec

from engine.contracts.http import HttpSettings, check_exposure, split_address, stays_here, tls_context
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, FacestreamError, FatalError
from engine.web.auth import Auth
from engine.web.certificate import follow_certificate
from engine.web.connections import Bounds
from engine.web.console_files import ConsoleFiles
from engine.web.context import Web
from engine.web.events import send_status
from engine.web.fan import Fan
from engine.web.fleet import FleetCache
from engine.web.link import ServiceLink, StatusCache
from engine.web.listening import listening_at_last
from engine.web.report import Report
from engine.web.server import server_of
from engine.web.sessions import LINK_SECONDS
from engine.web.settings import WebSettings
from engine.web.tap import Tap
from engine.web.timeline import Timeline
from engine.web.tokens import TokenFolder

_NICE = 5
"""The cameras come first."""


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
    server = server_of(web, tls, console)
    jobs = {"link": link.run(), "tap": web.tap.run(), "status": send_status(web.status, fan)}
    if tls is not None:
        jobs["certificate"] = follow_certificate(tls, settings.http, report)
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
