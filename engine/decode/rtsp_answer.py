"""Requests and answers of one RTSP connection, parsed as leniently as cameras require."""

from __future__ import annotations

import re
import socket
import time

_HEAD_BYTES = 65_536
_FIRST_LINE_BYTES = 1000
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})\b")
_REQUEST = re.compile(rb"[A-Z_]+ \S+ RTSP/1\.\d\r?\n")
_LENGTH = re.compile(rb"^content-length:\s*(\d{1,5})\s*$", re.IGNORECASE | re.MULTILINE)


class Talk:
    """Sends one request after the other; pictures, blank lines and the server's own requests between answers are skipped."""

    def __init__(self, connection: socket.socket, wait_seconds: float) -> None:
        self._connection, self._wait_seconds = connection, wait_seconds
        self._data = b""
        """Received, but not parsed yet."""
        self._deadline = 0.0

    def send(self, method: str, url: str, header: str) -> None:
        """Send a request; ``header`` consists of whole lines."""
        self._connection.sendall(
            f"{method} {url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: facestream\r\n{header}\r\n".encode(errors="surrogateescape")
        )

    def request(self, method: str, url: str, header: str) -> tuple[int, bytes, str]:
        """Send a request and return status, head and body of the answer.

        Raises:
            EOFError: the connection was closed.
            TimeoutError: there was no complete answer in time.
            ValueError: it was not an answer of an RTSP server.
        """
        self.send(method, url, header)
        self._deadline = time.monotonic() + self._wait_seconds
        while (head := self._head()) is None or _STATUS.match(head) is None:
            if head is None:
                self._more()
        status = _STATUS.match(head)
        assert status is not None
        length = _LENGTH.search(head)
        size = int(length[1]) if length else 0
        while len(self._data) < size:
            self._more()
        body, self._data = self._data[:size], self._data[size:]
        return int(status[1]), head, body.decode("latin-1")

    def _head(self) -> bytes | None:
        """Take the head of the next message; None if it is incomplete.

        Raises:
            ValueError: it is not a head.
        """
        data = self._data.lstrip(b"\r\n")
        while data[:1] == b"$" and len(data) >= 4 + int.from_bytes(data[2:4], "big"):
            data = data[4 + int.from_bytes(data[2:4], "big") :].lstrip(b"\r\n")
        self._data = data
        if not data or data[:1] == b"$":
            return None
        line, ended, _ = data.partition(b"\n")
        if ended:
            possible = bool(_STATUS.match(line) or _REQUEST.match(line + ended))
        else:
            possible = data.startswith(b"RTSP/1."[: len(data)]) or (data[:1].isupper() and len(data) < _FIRST_LINE_BYTES)
        if not possible or len(data) > _HEAD_BYTES:
            raise ValueError("not RTSP")
        end = _HEAD_END.search(data)
        if end is None:
            return None
        self._data = data[end.end() :]
        return data[: end.start()]

    def _more(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:  # also for a server that never pauses
            raise TimeoutError
        self._connection.settimeout(left)
        data = self._connection.recv(4096)
        if not data:
            raise EOFError
        self._data += data
