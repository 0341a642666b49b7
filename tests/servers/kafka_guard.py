"""Stands before a broker of the tests: TLS, and a password (SASL PLAIN), which that one does not ask for.

It answers the two requests of the login by itself, says in the list of what the broker can that there are these, and writes its
own port where the broker tells its own.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from pathlib import Path
from types import TracebackType

from tests.servers.certificate import certificate

_VERSIONS, _HANDSHAKE, _AUTHENTICATE = 18, 17, 36


class Guard:
    """Listens until the end of the block.

    Args:
        address: of the broker.
        folder: for the certificate, ``certificate``.
        password: as ``user:password``; None: nobody is asked.
    """

    def __init__(self, address: str, folder: Path, password: str | None = None) -> None:
        host, _, port = address.rpartition(":")
        self._broker, self._password = (host, int(port)), password
        self.authority, key = certificate(folder)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.authority, key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._port = int(self._listening.getsockname()[1])
        self.address = f"127.0.0.1:{self._port}"
        self._places = [struct.pack(">i", one) for one in (self._broker[1], self._port)]

    def __enter__(self) -> Guard:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # else whoever waits in accept goes on listening
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._admit, args=(self._listening.accept()[0],), daemon=True).start()

    def _admit(self, plain: socket.socket) -> None:
        with (
            contextlib.suppress(OSError, EOFError),
            self._context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(self._broker) as broker,
        ):
            is_known = self._password is None
            while True:  # a request, and its answer: none of ours is sent before
                request = _frame(client)
                kind, version, number = struct.unpack_from(">hhi", request)
                if kind == _HANDSHAKE:
                    answer = struct.pack(">ihi", number, 0, 1) + b"\x00\x05PLAIN"
                elif kind == _AUTHENTICATE:
                    is_known = request.endswith("\0".join(["", *str(self._password).split(":")]).encode())
                    words = b"" if is_known else b"Authentication failed: Invalid username or password"
                    answer = struct.pack(">ihh", number, 0 if is_known else 58, len(words)) + words + struct.pack(">iq", 0, 0)
                elif is_known or kind == _VERSIONS:
                    broker.sendall(struct.pack(">i", len(request)) + request)
                    answer = _frame(broker).replace(*self._places)
                    answer = _with_login(answer) if kind == _VERSIONS and version < 3 else answer
                else:
                    return
                client.sendall(struct.pack(">i", len(answer)) + answer)


def _with_login(answer: bytes) -> bytes:
    (count,) = struct.unpack_from(">i", answer, 6)
    end = 10 + 6 * count
    login = struct.pack(">hhhhhh", _HANDSHAKE, 1, 1, _AUTHENTICATE, 0, 1)
    return answer[:6] + struct.pack(">i", count + 2) + answer[10:end] + login + answer[end:]


def _frame(connection: socket.socket) -> bytes:
    (size,) = struct.unpack(">i", _exactly(connection, 4))
    return _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        if not (more := connection.recv(size - len(found))):
            raise EOFError
        found += more
    return found
