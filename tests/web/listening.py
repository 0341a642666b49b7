"""Reads Server-Sent Events from a socket, as a browser does."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.web.server import Server


@dataclass
class Heard:
    kind: str
    data: Any
    id: str = ""


class Listener:
    """One connection that listens to events."""

    def __init__(self, opened: socket.socket) -> None:
        self.file = opened.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = dict[str, str]()
        while line := self.file.readline().strip():
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()
        self.comments = 0

    def lines(self) -> Iterator[bytes]:
        """Lines of the body, which comes in chunks."""
        rest = b""
        while size := int(self.file.readline() or b"0", 16):
            rest += self.file.read(size)
            self.file.readline()
            *whole, rest = rest.split(b"\n")
            yield from whole

    def events(self) -> Iterator[Heard]:
        fields: dict[str, str] = {}
        for line in self.lines():
            if line.startswith(b":"):
                self.comments += 1
            elif line:
                name, _, value = line.decode().partition(": ")
                fields[name] = value
            elif "event" in fields:
                yield Heard(fields["event"], json.loads(fields["data"]), fields.get("id", ""))
                fields = {}

    def first(self, *kinds: str) -> Heard:
        """Return the first event of one of these kinds."""
        return next(event for event in self.events() if event.kind in kinds)


@contextlib.contextmanager
def listening(web: Server, query: str = "", *lines: str, token: str = "") -> Iterator[Listener]:
    head = [
        f"GET /api/v1/events{query} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {token or web.token}",
        *lines,
        "",
        "",
    ]
    with web.connect() as opened:
        opened.sendall("\r\n".join(head).encode())
        listener = Listener(opened)
        with listener.file:
            yield listener
