"""Requests that nobody would send, drawn by the seed: methods, paths, headers, cookies, bodies and frames."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.web import fuzz

_MOST_IN_ONE_PIECE = 12
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
            self.chance.choice(names) + b": " + self.chance.choice([self._word(), *self.chance.sample(fuzz._VALUES, 2)])
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
