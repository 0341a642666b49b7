from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import pytest

from tests.decode.certificates import camera_certificate, serving
from tests.patience import PATIENCE_SECONDS
from tests.rtsp.listener import Handler, Listener


async def until_it_leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(1)


@pytest.mark.parametrize("shaken", [True, False])
@pytest.mark.parametrize("handler", [until_it_leaves, at_once])
def test_it_closes_what_speaks_tls_however_far_it_is(tmp_path: Path, shaken: bool, handler: Handler) -> None:
    """Also while hands are shaken, and while the other side's goodbye is waited for."""
    listener = Listener(handler, tls=serving(camera_certificate(tmp_path)))
    listener.start()
    with contextlib.ExitStack() as stack:
        stack.callback(listener.stop)
        client = stack.enter_context(socket.create_connection(("127.0.0.1", listener.port), PATIENCE_SECONDS))
        if shaken:
            context = ssl._create_unverified_context()
            client = stack.enter_context(context.wrap_socket(client))
            listener.wait(lambda: listener.open == 1)
            client.sendall(b"x")
        listener.stop()
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            assert client.recv(1) == b""
    assert listener.open == 0
