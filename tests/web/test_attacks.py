"""Hostile clients, on the real socket."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.web.connections import Bounds
from engine.web.door import HEADER_BYTES
from tests.patience import PATIENCE_SECONDS, until
from tests.processes import open_files
from tests.web.server import Server, everything, server
from tests.web.service import FakeService, usual_answer

QUICK = Bounds(most=12, most_per_address=8, asking_seconds=0.5, unread_seconds=1.0)


@pytest.fixture(scope="module")
def _tight(service: FakeService) -> Iterator[Server]:
    with server(service, bounds=QUICK) as running:
        running.token = running.token_for("tight", "view", "operate", "enrol")
        yield running


@pytest.fixture
def tight(_tight: Server) -> Server:
    _tight.service.answer = usual_answer
    _tight.service.asked.clear()
    return _tight


def head(web: Server, method: str, path: str, *lines: str) -> bytes:
    start = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {web.token}", *lines]
    return "\r\n".join([*start, "", ""]).encode()


def is_well(web: Server) -> bool:
    """Whether it answers, once those that were waiting to be accepted have been."""

    def status() -> int:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return web.ask("GET", "/api/v1/status").status
        return 0

    return until(status) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/console/../tokens/all.json", "/console/..%2ftokens%2fall.json", "/console/%2e%2e/%2e%2e/etc/passwd",
        "/console/..\\..\\etc\\passwd", "/console//etc/passwd", "/console/%00", "/console/main.js%00.png", "/console/.",
        "/console/..", "//etc/passwd", "/console/....//....//etc/passwd", "/console/%252e%252e%252fetc",
        "/console/%c0%ae%c0%ae/",
        "/api/v1/pictures/..%2f..%2ftokens%2fall.json", "/api/v1/pictures/..~door~1~1~original",
        "/api/v1/pictures/.~door~1~1~original", "/api/v1/pictures/run~..~1~1~original", "/api/v1/pictures/run~.~1~1~original",
        "/api/v1/pictures/run~door~..~1~original", "/api/v1/pictures/run~door~1~1~..%2foriginal",
        "/api/v1/pictures/..%2f..~door~1~1~original", "/api/v1/pictures/run~a%2fb~1~1~original", "/api/v1/pictures/%00",
        "/api/v1/pictures/run%00~door~1~1~original", "/api/v1/tracks/..%2f..%2ftokens/door/1", "/api/v1/tracks/../door/1",
        "/api/v1/tracks/..%2fruns%2frun/door/1", "/api/v1/tracks/run/..%2fdoor/1", "/api/v1/tracks/run/../1",
    ],
)  # fmt: skip
def test_no_path_leaves_its_folder(web: Server, path: str) -> None:
    run = Path(web.settings.directory) / "runs" / "run"
    run.mkdir(parents=True, exist_ok=True)
    seen = web.raw(head(web, "GET", path, "Connection: close"))
    assert seen.split(b" ", 2)[1] in (b"404", b"400"), seen
    assert b"sha256" not in seen
    assert b"root:" not in seen
    assert str(web.service.folder).encode() not in seen


def test_a_link_in_a_run_leads_nowhere(web: Server) -> None:
    runs = Path(web.settings.directory) / "runs"
    faces = runs / "run2" / "faces" / "door" / "1"
    faces.mkdir(parents=True)
    (faces / "000001_original.jpg").symlink_to("/etc/passwd")
    (runs / "linked").symlink_to("/etc")
    assert web.ask("GET", "/api/v1/pictures/run2~door~1~1~original").status == 404
    assert web.ask("GET", "/api/v1/tracks/linked/door/1").status == 404


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * (2 * HEADER_BYTES) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: 1\r\n" % number for number in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * (2 * HEADER_BYTES) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"\x00" * 1000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT evil.example:443\r\n\r\n",
    ],
)
def test_what_is_no_request_is_cut(web: Server, sent: bytes) -> None:
    seen = web.raw(sent)
    assert seen.startswith((b"HTTP/1.1 400", b"HTTP/1.1 421", b"HTTP/1.1 431")) or seen == b""
    assert is_well(web)


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: +5",),
        ("Content-Length: 5, 6",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
    ],
)
def test_a_second_request_cannot_be_smuggled_in(web: Server, lines: tuple[str, ...]) -> None:
    hidden = head(web, "POST", "/api/v1/drain", "Content-Length: 0")
    body = b"0\r\n\r\n" + hidden
    seen = web.raw(head(web, "POST", "/api/v1/streams/door/pause", *lines) + body)
    assert not any(type(request.verb).__name__ == "Drain" for request in web.service.asked), seen
    assert is_well(web)


def test_who_does_not_finish_asking_is_cut(tight: Server) -> None:
    for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: y"):
        with tight.connect() as opened:
            opened.sendall(sent)
            assert everything(opened) == b""


def test_who_sends_a_byte_now_and_then_is_cut(tight: Server) -> None:
    opened, sent = tight.connect(), 0
    with opened, contextlib.suppress(OSError):
        opened.settimeout(0.05)
        while sent < 1000:
            opened.sendall(b"G")
            sent += 1
            with contextlib.suppress(TimeoutError):
                if opened.recv(100) == b"":
                    break
    assert sent < 100
    assert is_well(tight)


def test_who_asks_a_second_time_slowly_is_cut(tight: Server) -> None:
    with tight.connect() as opened:
        opened.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /li")
        seen = everything(opened)
    assert seen.startswith(b"HTTP/1.1 200")
    assert seen.count(b"HTTP/1.1") == 1


def test_a_body_that_does_not_come_is_not_waited_for(tight: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.bodies._SECONDS", 0.2)
    monkeypatch.setattr("engine.web.bodies._SLOWEST_BYTES_PER_SECOND", 1e9)
    seen = tight.raw(head(tight, "POST", "/api/v1/streams", "Content-Length: 10", "Content-Type: application/json") + b"{")
    assert seen.startswith(b"HTTP/1.1 408")
    assert tight.service.asked == []


def test_a_picture_that_stops_coming_is_not_waited_for(tight: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It held one of the four places for pictures for as long as the largest one may take: four and a half minutes."""
    monkeypatch.setattr("engine.web.bodies._SECONDS", 0.2)
    monkeypatch.setattr("engine.web.bodies._SLOWEST_BYTES_PER_SECOND", 1)  # hours for the largest one
    for length, begun in (("Content-Length: 1000", b"abcd"), ("Transfer-Encoding: chunked", b"4\r\nabcd\r\n")):
        seen = tight.raw(head(tight, "POST", "/api/v1/search", length, "Content-Type: image/jpeg") + begun)
        assert seen.startswith(b"HTTP/1.1 408")
    assert tight.service.asked == []


def test_a_body_for_an_address_that_reads_none_is_not_waited_for(tight: Server) -> None:
    with tight.connect() as opened:
        opened.sendall(head(tight, "GET", "/api/v1/status", "Content-Length: 1000000") + b"x")
        seen = everything(opened)
    assert seen.startswith(b"HTTP/1.1 200")
    assert is_well(tight)


def test_so_many_connections_of_one_address_and_no_more(service: FakeService) -> None:
    bounds = Bounds(most=12, most_per_address=8)
    with server(service, bounds=bounds) as running, contextlib.ExitStack() as stack:
        opened = [stack.enter_context(running.connect()) for _ in range(12)]
        until(lambda: bounds.refused == 4)
        for one in opened:
            with contextlib.suppress(OSError):
                one.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        seen = [everything(one) for one in opened]
    assert bounds.refused == 4
    assert sum(one.startswith(b"HTTP/1.1 200") for one in seen) == 8
    assert seen.count(b"") == 4
    assert not bounds.open


def test_a_reader_that_stops_reading_is_cut_and_its_place_is_free_again(tight: Server) -> None:
    """A whole picture waits for each of them: the memory is the system's, and comes back."""
    with contextlib.ExitStack() as stack:
        stopped = []
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.connect(("127.0.0.1", tight.port))
            one.settimeout(PATIENCE_SECONDS)
            one.sendall(head(tight, "GET", "/api/v1/openapi.json") * 20)
            stopped.append(one)
        until(lambda: QUICK.open.total() == 0)
    assert is_well(tight)


def test_nothing_stays_open_after_many_connections(tight: Server) -> None:
    is_well(tight)
    before = open_files()
    for number in range(300):
        with tight.connect() as opened:
            if number % 3 == 0:
                opened.sendall(b"GET /live HT")
    until(lambda: QUICK.open.total() == 0)
    assert is_well(tight)
    until(lambda: not open_files() - before, "the end of the last one, which is counted out before it is closed")


def test_a_pipelined_crowd_is_answered_in_order(web: Server) -> None:
    seen = web.raw(head(web, "GET", "/live") * 50 + head(web, "GET", "/ready", "Connection: close"))
    assert seen.count(b"HTTP/1.1 200") == 51
    assert seen.endswith(b'{"ready":true,"reason":""}')


def test_an_upgrade_is_not_made(web: Server) -> None:
    lines = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    )
    with web.connect() as opened:
        opened.sendall(head(web, "GET", "/api/v1/events", *lines)[:-2] + b"\r\n")
        opened.settimeout(PATIENCE_SECONDS)
        assert opened.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 400", b"HTTP/1.1 426")
    assert is_well(web)


@pytest.mark.parametrize("path", ["/api/v1/streams", "/api/v1/events"])
def test_a_body_that_turns_into_garbage_ends_the_request_and_is_no_fault_of_ours(web: Server, path: str) -> None:
    """Before the answer has begun, and in the middle of one that goes on."""
    before = len(web.lines)
    method = "GET" if path.endswith("events") else "POST"
    with web.connect() as opened:
        opened.sendall(head(web, method, path, "Transfer-Encoding: chunked", "Content-Type: application/json") + b"2\r\n{}\r\n")
        if method == "GET":
            assert opened.recv(12) == b"HTTP/1.1 200"
        opened.sendall(b"garbage\r\n")
        seen = everything(opened)
    assert seen.count(b"HTTP/1.1 400") == (method == "POST")
    assert is_well(web)
    assert not [line for line in web.lines[before:] if "Exception" in line or "failed" in line]


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    "body", [b"55\r\x9a\n\r\n", b"zz\r\n", b"2\r\n{}garbage\r\n", b"0\r\n: \r\n\r\n", b"\xff" * 40 + b"\r\n"]
)
def test_a_body_that_is_garbage_at_once_ends_every_kind_of_request(web: Server, method: str, body: bytes) -> None:
    """The answer to a HEAD has no body, so that nothing can be said in it of what was wrong."""
    before = len(web.lines)
    with web.connect() as opened:
        opened.sendall(head(web, method, "/api/v1/streams", "Transfer-Encoding: chunked") + body)
        seen = everything(opened)
    assert seen.startswith(b"HTTP/1.1 ")
    assert method != "HEAD" or seen.endswith(b"\r\n\r\n")
    assert is_well(web)
    assert not [line for line in web.lines[before:] if "Exception" in line or "Error" in line or "failed" in line]
