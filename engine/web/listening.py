"""The address at which the web process listens, as soon as it can."""

from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator

from engine.contracts.http import HttpSettings, split_address
from engine.errors import PublishError
from engine.web.report import Report

BACKLOG = 128
_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
"""In seconds, between attempts to listen."""


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
            opened.listen(BACKLOG)
        except OSError as error:
            raise PublishError(f"cannot listen at {http.address} (serve.http): {error.strerror}") from error
        yield opened
