"""A great many requests that nobody would send, over connections that are kept: nothing may break, and none is left without an answer.

Run: python -m tests.web.fuzz_fast REQUESTS [SEED] [--json FILE]

``tests.web.fuzz`` lets hypothesis think out each request, and opens a connection for each; this one draws from the same
names and values, sends several in one piece, and counts the answers. What cannot be framed, or ends the connection, comes last.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.web import fuzz
from tests.web.server import Server, server
from tests.web.service import FakeService

_MOST_IN_ONE_PIECE = 12
_ALIVE_EVERY = 20_000
_FIELDS = ["source", "uri", "name", "changes", "pictures", "content", "picture", "level", "token", "verb", "paused", "new_name"]
_VALUES: list[Any] = [
    None, True, 0, -1, 2**70, 1e308, "", "door", "\0", "../x", "ä" * 300, [], {}, [[]], "rtsp://192.0.2.1/x", "file:///etc/passwd",
    {"uri": "rtsp://192.0.2.1/x", "name": "door"}, [{"content": "////"}], "AAAA",
]  # fmt: skip
_TAILS = [
    b"",
    b"",
    b"?",
    b"/",
    b"%2f..",
    b"%00",
    b"%ff",
    b"%zz",
    b"?limit=1&cursor=x:1",
    b"?most=9",
    b"?file=\xff",
    b"?force=2",
    b"//",
]
_UNFRAMED = (b"content-length", b"transfer-encoding", b"connection", b"expect", b"upgrade", b"host", b"content-encoding")
_FRAMED_NAMES = [name for name in fuzz._NAMES if name.lower() not in _UNFRAMED]


@dataclass
class Tally:
    """What came back."""

    sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    shapes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


class Fuzzer:
    """Makes requests; the same ones for the same seed."""

    def __init__(self, seed: int, token: str) -> None:
        self.chance, self._token = random.Random(seed), token.encode()

    def piece(self, tally: Tally) -> tuple[bytes, list[bytes], bytes]:
        """Return requests that are sent at once, the method of each, and what follows that may be answered, or not."""
        parts, methods = [], []
        for _ in range(self.chance.randrange(_MOST_IN_ONE_PIECE)):
            shape, method, sent = self._framed()
            tally.shapes[shape] += 1
            parts.append(sent)
            methods.append(method)
        last = self.chance.choice([self._garbled, self._binary, self._closing, self._odd_frame, self._upgrade])
        tally.shapes[last.__name__.strip("_")] += 1
        tally.sent += len(parts) + 1
        return b"".join(parts), methods, last()

    def _framed(self) -> tuple[str, bytes, bytes]:
        """A request with a right frame, whatever is in it: its answer must come."""
        method = self.chance.choice(fuzz._METHODS[:-2])
        lines = [
            method + b" " + self._path() + b" HTTP/1.1",
            b"Host: localhost",
            *self._token_lines(),
            *self._lines(_FRAMED_NAMES),
        ]
        shape, kind, body = self.chance.choice([self._json, self._bytes, self._multipart, self._form, self._nothing])()
        if kind:
            lines.append(b"Content-Type: " + kind)
        if method in (b"GET", b"HEAD", b"TRACE", b"OPTIONS") and self.chance.random() < 0.7:
            body = b""
        if body and self.chance.random() < 0.3:
            return (
                f"chunked {shape}",
                method,
                b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b""]) + self._chunks(body),
            )
        length = [b"Content-Length: %d" % len(body)] if body or method not in (b"GET", b"HEAD") else []
        return shape, method, b"\r\n".join([*lines, *length, b"", b""]) + body

    def _path(self) -> bytes:
        path = self.chance.choice(fuzz._PATHS).encode() + self.chance.choice(_TAILS)
        if self.chance.random() < 0.2:
            path += bytes(self.chance.choice(range(0x21, 0x7F)) for _ in range(self.chance.randrange(9)))
        return path.replace(b"\xff", b"%ff").replace(b"#", b"%23")

    def _token_lines(self) -> list[bytes]:
        kind = self.chance.random()
        if kind < 0.8:
            return [b"Authorization: Bearer " + self._token]
        return [b"Cookie: facestream-0=" + self._word(), b"Sec-Fetch-Site: cross-site"][: self.chance.randrange(3)]

    def _lines(self, names: list[bytes]) -> list[bytes]:
        return [
            self.chance.choice(names) + b": " + (self.chance.choice(fuzz._VALUES) if self.chance.random() < 0.6 else self._word())
            for _ in range(self.chance.randrange(4))
        ]  # fmt: skip

    def _word(self) -> bytes:
        return bytes(self.chance.choice(range(0x21, 0x7F)) for _ in range(self.chance.randrange(1, 30)))

    def _json(self) -> tuple[str, bytes, bytes]:
        value = {self.chance.choice(_FIELDS): self.chance.choice(_VALUES) for _ in range(self.chance.randrange(4))}
        inner: Any = {"source": value} if self.chance.random() < 0.3 else value
        return (
            "json",
            b"application/json",
            json.dumps(self.chance.choice([inner, inner, inner, [inner], self.chance.choice(_VALUES)])).encode(),
        )

    def _bytes(self) -> tuple[str, bytes, bytes]:
        kind = self.chance.choice([b"image/jpeg", b"image/png", b"application/json", b"application/octet-stream", b""])
        start = self.chance.choice([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"", b"{"])
        return "bytes", kind, start + self.chance.randbytes(self.chance.randrange(300))

    def _multipart(self) -> tuple[str, bytes, bytes]:
        edge = self._word()[:10].replace(b'"', b"x")
        parts = [
            b"--" + edge + b'\r\nContent-Disposition: form-data; name="file"; filename="' + self._word() + b'"\r\n\r\n'
            + self.chance.randbytes(20) + b"\r\n"
            for _ in range(self.chance.randrange(4))
        ]  # fmt: skip
        return "multipart", b"multipart/form-data; boundary=" + edge, b"".join(parts) + b"--" + edge + b"--"

    def _form(self) -> tuple[str, bytes, bytes]:
        return "form", b"application/x-www-form-urlencoded", b"&".join(self._word() + b"=" + self._word() for _ in range(3))

    def _nothing(self) -> tuple[str, bytes, bytes]:
        return "nothing", b"", b""

    def _chunks(self, body: bytes) -> bytes:
        parts = []
        while body:
            size = self.chance.randrange(1, len(body) + 1)
            extension = b";x=y" if self.chance.random() < 0.1 else b""
            parts.append(b"%x%s\r\n%s\r\n" % (size, extension, body[:size]))
            body = body[size:]
        return b"".join([*parts, b"0\r\n\r\n"])

    def _closing(self) -> bytes:
        """HTTP/1.0, or a frame that ends the connection."""
        version = self.chance.choice([b"HTTP/1.0", b"HTTP/1.1\r\nConnection: close", b"HTTP/3", b"HTTP/0.9", b""])
        return self.chance.choice(fuzz._METHODS) + b" " + self._path() + b" " + version + b"\r\nHost: localhost\r\n\r\n"

    def _odd_frame(self) -> bytes:
        """Headers that say wrongly where the request ends."""
        lines = [
            self.chance.choice(fuzz._METHODS) + b" " + self._path() + b" HTTP/1.1",
            b"Host: localhost",
            *self._token_lines(),
        ]
        lines += self._lines([b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect", b"Host", b"Content-Encoding"])
        return b"\r\n".join([*lines, *self._lines(fuzz._NAMES), b"", b""]) + self._json()[2]

    def _upgrade(self) -> bytes:
        kind = self.chance.choice([b"websocket", b"h2c", b"TLS/1.0", b"\xff"])
        more = [b"Sec-WebSocket-Key: " + self._word(), b"Sec-WebSocket-Version: 13", b"HTTP2-Settings: AAMAAABk"]
        lines = [b"GET " + self._path() + b" HTTP/1.1", b"Host: localhost", b"Connection: Upgrade", b"Upgrade: " + kind]
        return b"\r\n".join([*lines, *self.chance.sample(more, 2), *self._token_lines(), b"", b""]) + self.chance.randbytes(8)

    def _garbled(self) -> bytes:
        """A right request with bytes that do not belong there."""
        sent = bytearray(self._framed()[2])
        for _ in range(self.chance.randrange(1, 5)):
            sent[self.chance.randrange(len(sent))] = self.chance.randrange(256)
        return bytes(sent[: self.chance.randrange(1, len(sent) + 1)])

    def _binary(self) -> bytes:
        return self.chance.randbytes(self.chance.randrange(1, 200))


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


def try_piece(web: Server, fuzzer: Fuzzer, tally: Tally) -> None:
    """Send one piece, and note what is wrong with what came back."""
    sent, methods, last = fuzzer.piece(tally)
    statuses: list[int] = []
    with web.connect(60) as opened:
        coming = Answers(opened)
        try:
            opened.sendall(sent)
            for method in methods:
                if coming.closes or not (status := coming.next(method)):
                    break
                statuses.append(status)
            if len(statuses) < len(methods) and not coming.closes:
                tally.faults.append(f"{len(methods)} requests, {len(statuses)} answers {statuses}: {sent!r}")
            if not coming.closes:
                with contextlib.suppress(ConnectionError):
                    opened.sendall(last)
                    opened.shutdown(socket.SHUT_WR)
                method = last.partition(b" ")[0].upper()
                while status := coming.next(method):
                    statuses.append(status)
                    method = b"HEAD" if coming.closes else b""
        except (ValueError, TimeoutError, ConnectionError) as error:
            tally.faults.append(f"{error!r}: {sent!r} and {last!r}")
    tally.answers.update(statuses)
    if any(status >= 500 and status not in (503, 504) for status in statuses):
        tally.faults.append(f"{statuses}: {sent!r} and {last!r}")


def fuzzed(requests: int, seed: int) -> tuple[Tally, list[str], list[float]]:
    """Return what came back, the lines of the log that speak of what was not foreseen, and the memory at each look in MB."""
    service, tally, sizes = FakeService(), Tally(), []
    with server(service) as web:
        fuzzer, looked = Fuzzer(seed, web.token_for("fuzz", "view", "operate", "enrol")), 0
        alive = web.token_for("alive", "view")
        while tally.sent < requests:
            web.service.asked.clear()
            web.web.auth._attempts.__init__()  # type: ignore[misc]
            try_piece(web, fuzzer, tally)
            if tally.sent >= looked:
                looked += _ALIVE_EVERY
                assert web.ask("GET", "/api/v1/status", token=alive).status == 200
                sizes.append(int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6)
        unforeseen = fuzz.is_clean(web)
    service.close()
    return tally, unforeseen, sizes


def main() -> int:
    """Return 1 where something broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requests", type=int, nargs="?", default=1_000_000)
    parser.add_argument("seed", type=int, nargs="?", default=17)
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    began = time.monotonic()
    tally, unforeseen, sizes = fuzzed(options.requests, options.seed)
    found = {
        "requests": tally.sent, "seed": options.seed, "seconds": round(time.monotonic() - began), "answers": dict(tally.answers),
        "shapes": dict(tally.shapes), "faults": tally.faults[:50], "log": unforeseen[:20], "memory_mb": sizes[:: max(1, len(sizes) // 8)],
    }  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(found))
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 1 if tally.faults or unforeseen else 0


if __name__ == "__main__":
    sys.exit(main())
