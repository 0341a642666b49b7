"""Takes apart what one connection gives, answer by answer."""

from __future__ import annotations

import socket


class Answers:
    """Takes apart what a connection gives.

    Args:
        opened: the connection.
    """

    def __init__(self, opened: socket.socket) -> None:
        self._opened, self._seen = opened, b""
        self.closes = False
        """The last answer said, or showed, that the connection ends."""

    def next(self, method: bytes = b"") -> int:
        """Return the status of the next answer, to a request with this method; 0 at the end of the connection.

        Raises:
            ValueError: this is no answer.
            TimeoutError: nothing comes.
        """
        while b"\r\n\r\n" not in self._seen:
            if not self._more():
                if self._seen:
                    raise ValueError(f"half an answer: {self._seen[:80]!r}")
                return 0
        head, _, self._seen = self._seen.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 "):
            raise ValueError(f"no answer: {head[:80]!r}")
        status = int(head[9:12])
        if status < 200:
            return self.next(method)
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
        self.closes = headers.get(b"connection") == b"close"
        if self.closes and status == 400:  # of a request that is none: whether it was a HEAD nobody knows
            headers = {}
        if (method != b"HEAD" or not headers) and status not in (204, 304):
            self._body(headers)
        return status

    def _body(self, headers: dict[bytes, bytes]) -> None:
        if headers.get(b"transfer-encoding") == b"chunked":
            while b"0\r\n\r\n" not in self._seen and self._more():
                pass
            self._seen = self._seen.partition(b"0\r\n\r\n")[2]
        elif b"content-length" in headers:
            size = int(headers[b"content-length"])
            while len(self._seen) < size and self._more():
                pass
            if len(self._seen) < size and not self.closes:
                raise ValueError(f"{len(self._seen)} of {size} bytes")
            self._seen = self._seen[size:]
        else:  # to the end
            self.closes = True
            while self._more():
                pass
            self._seen = b""

    def _more(self) -> bool:
        try:
            piece = self._opened.recv(1 << 18)
        except ConnectionError:
            return False
        self._seen += piece
        return bool(piece)
