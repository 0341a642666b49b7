"""A TCP server in a thread of its own whose port can be closed and opened again, and that knows what is connected."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

from tests.patience import PATIENCE_SECONDS

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing a socket with this set sends a reset."""


class Listener:
    """Listens on 127.0.0.1; each connection runs the handler in the listener's thread.

    A handler ends by returning or by any ``OSError``; another exception is raised by ``stop``.
    With ``tls`` it speaks TLS.
    """

    def __init__(self, handler: Handler, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        # Bound and never listening: refuses connections, and keeps the port for us while nothing listens.
        self._reserved = _bound(port)
        self.port: int = self._reserved.getsockname()[1]
        self.opened = 0
        """Connections since the start."""
        self._handler, self._tls = handler, tls
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"listener-{self.port}", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._changed = threading.Condition()
        self._errors: list[BaseException] = []

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._connections)

    def start(self) -> None:
        self._thread.start()
        self.listen()

    def stop(self) -> None:
        """Close everything; raises the first error of a handler."""
        if not self._thread.is_alive():
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._reserved.close()
        if self._errors:
            raise self._errors[0]

    def listen(self) -> None:
        """Accept connections (again)."""
        self._call(self._listen())

    def refuse(self) -> None:
        """Refuse further connections; those that are open stay."""
        self._call(self._refuse())

    def drop(self) -> None:
        """Reset every open connection."""
        self._call(self._drop())

    def changed(self) -> None:
        """Wake those who wait for a condition."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the condition holds, which is asked again after each change.

        Raises:
            TimeoutError: it did not within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition():
                if not self._changed.wait(min(0.05, deadline - time.monotonic())) and time.monotonic() > deadline:
                    raise TimeoutError(f"the server waited {seconds:g} s for a condition")

    def _call(self, task: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(task, self._loop).result(PATIENCE_SECONDS)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, sock=_bound(self.port), ssl=self._tls)

    async def _refuse(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            self._loop.remove_reader(server.sockets[0].fileno())
            for _ in range(3):  # turns of the loop; what was just accepted would be left open by a server that has closed
                await asyncio.sleep(0)
            server.close()

    async def _drop(self) -> None:
        for task, writer in list(self._connections.items()):
            reset(writer)
            task.cancel()

    async def _close(self) -> None:
        await self._refuse()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}  # also of connections that still shake hands
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next turn

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        self.opened += 1
        self.changed()
        try:
            await self._handler(reader, writer)
        except (OSError, EOFError):
            pass
        except asyncio.CancelledError:  # nothing more is waited for, as TLS would for the other side's goodbye
            writer.transport.abort()
        except Exception as error:
            self._errors.append(error)
        finally:
            writer.close()
            try:
                await writer.wait_closed()
            except OSError:
                pass
            except asyncio.CancelledError:
                writer.transport.abort()
            del self._connections[task]
            self.changed()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a TCP reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None and not writer.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    writer.transport.abort()


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """Yield a port that refuses connections and that nobody else is given meanwhile: bound, and nothing listens."""
    with _bound(0) as bound:
        yield bound.getsockname()[1]


def _bound(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind(("127.0.0.1", port))
    return bound
