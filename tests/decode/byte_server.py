"""A TCP server of a few lines for what is no RTSP: HTTP, and transport streams as they are."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable

from tests.patience import PATIENCE_SECONDS

Answer = Callable[[socket.socket], None]


class ByteServer:
    """Runs ``answer`` for each connection; keeps connections open until the end unless ``answer`` closes them.

    Args:
        answer: what to do with a connection.
        tls: it is spoken over TLS; None: in the clear.
    """

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None) -> None:
        self._answer, self._tls = answer, tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> ByteServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(PATIENCE_SECONDS)
        for connection in self._open:
            connection.close()

    def url(self, scheme: str) -> str:
        return f"{scheme}://127.0.0.1:{self.port}/live"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            try:
                if self._tls is not None:
                    connection.settimeout(PATIENCE_SECONDS)
                    connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
                self._answer(connection)
            except OSError:
                continue


def http(status: int, body: bytes = b"", length: bool = False, close: bool = False, header: str = "") -> Answer:
    """Answer any request with a status and a body; ``length`` says how long it is, as for a file."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        head = f"HTTP/1.1 {status} Something\r\nContent-Type: video/mp2t\r\nConnection: close\r\n"
        head += f"Content-Length: {len(body)}\r\n" if length else ""
        head += f"{header}\r\n" if header else ""
        connection.sendall(head.encode() + b"\r\n" + body)
        if close:
            connection.close()

    return answer


def raw(body: bytes, close: bool = False) -> Answer:
    """Send bytes to whoever connects."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(body)
        if close:
            connection.close()

    return answer
