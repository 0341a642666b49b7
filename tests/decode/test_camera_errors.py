from __future__ import annotations

import socket
import struct
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from engine.contracts.streams import StreamChanged
from tests.decode.byte_server import ByteServer, http, raw
from tests.decode.clips import render
from tests.decode.watching import watching
from tests.rtsp.listener import refusing_port
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer


def failure_of(url: str, **settings: object) -> StreamChanged:
    """Return the last state of a camera that is given up at once."""
    with watching(url, max_reconnects=0, **settings) as watch:
        watch.until(lambda w: w.count("failed") == 1)
    last = watch.states[-1]
    assert "secret" not in str(watch.states)
    assert "\n" not in last.detail
    assert last.detail.startswith(url.replace("admin:secret@", ""))
    assert watch.frames == []
    return last


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("behaviour", "reason", "says"),
    [
        (Behaviour(credentials="admin:other"), "auth", "refuses the user name or password"),
        (Behaviour(answers={"DESCRIBE": 401}), "auth", "user name"),
        (Behaviour(answers={"DESCRIBE": 403}), "auth", "user name"),
        (Behaviour(answers={"DESCRIBE": 404}), "not_found", "no stream under this path"),
        (Behaviour(answers={"SETUP": 453}), "busy", "no session free"),
        (Behaviour(answers={"SETUP": 453}, credentials="admin:secret"), "busy", "no session free"),
        (Behaviour(answers={"PLAY": 454}, credentials="admin:secret", auth="basic"), "server_error", "status 454"),
        (Behaviour(answers={"PLAY": 453}), "busy", "no session free"),
        (Behaviour(answers={"DESCRIBE": 503}), "busy", "no session free"),
        (Behaviour(answers={"SETUP": 503}), "busy", "no session free"),
        (Behaviour(answers={"SETUP": 454}), "server_error", "status 454"),
        (Behaviour(answers={"*": 500}), "server_error", "status 500"),
        (Behaviour(answers={"DESCRIBE": 400}), "server_error", "400"),
        (Behaviour(answers={"SETUP": 461}), "server_error", "does not offer transport"),
        (Behaviour(silent=frozenset({"*"})), "timeout", "did not answer within"),
        (Behaviour(silent=frozenset({"PLAY"})), "timeout", "did not answer within"),
        (Behaviour(sdp="audio"), "no_video", "sends no video"),
        (Behaviour(sdp="nothing"), "no_video", "sends no video"),
        (Behaviour(sdp="garbage"), "no_video", "sends no video"),
    ],
)
def test_what_an_rtsp_camera_refuses(clip, transport, behaviour, reason, says):
    # Only where it is waited for in vain is the wait short: a busy machine answers late.
    connect_seconds = 0.5 if behaviour.silent else 2.0 if behaviour.sdp == "garbage" else 10.0
    with ScriptedServer(clip, behaviour) as server:
        last = failure_of(server.url(credentials="admin:secret"), transport=transport, connect_seconds=connect_seconds)
    assert last.reason == reason
    assert says in last.detail


def test_a_camera_without_a_free_session(clip):
    with ScriptedServer(clip, limit=1) as server, watching(server.url()) as first:
        first.until(lambda w: len(w.frames) == 3)
        assert failure_of(server.url()).reason == "busy"
        first.until(lambda w: len(w.frames) == 30)
    assert first.order == ["connecting", "live", "frame"]


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "http", "https", "tcp"])
def test_nobody_listens(scheme):
    with refusing_port() as port:
        last = failure_of(f"{scheme}://127.0.0.1:{port}/live")
    assert (last.reason, "refuses the connection" in last.detail) == ("network", True)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_host_name_that_nobody_knows(scheme):
    last = failure_of(f"{scheme}://camera.invalid/live")
    assert (last.reason, "host name" in last.detail) == ("network", True)


def test_a_name_that_nobody_knows_is_looked_up_no_more_than_that(monkeypatch):
    """Where the name server does not answer, each look takes many seconds."""
    looked_up: list[object] = []

    def look_up(host, *_: object, **__: object):
        looked_up.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert "host name that is not known" in failure_of("rtsp://camera.invalid/live").detail
    assert looked_up == ["camera.invalid"]  # FFmpeg's own is not seen here


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


KEPT_OPEN = raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
"""A web server that waits for the next request, while FFmpeg waits for an answer by RTSP."""


@pytest.mark.parametrize(
    ("scheme", "answer", "reason"),
    [
        ("rtsp", reset, "network"),
        ("rtsp", raw(b"", close=True), "network"),
        ("rtsp", raw(b"SSH-2.0-OpenSSH_9.2\r\n" * 9, close=True), "not_a_video"),
        ("rtsp", lambda _: None, "timeout"),
        ("rtsp", KEPT_OPEN, "not_a_video"),
        ("rtsps", raw(b"hello\r\n" * 99, close=True), "network"),
        ("http", http(401), "auth"),
        ("http", http(403), "auth"),
        ("http", http(404), "not_found"),
        ("http", http(429), "busy"),
        ("http", http(500), "server_error"),
        ("http", reset, "network"),
        ("http", lambda _: None, "timeout"),
        ("http", http(200), "timeout"),
        ("http", http(200, b"<html><body>a page</body></html>" * 50, close=True), "not_a_video"),
        ("tcp", raw(b"no video at all " * 5000, close=True), "not_a_video"),
        ("tcp", lambda _: None, "timeout"),
    ],
)
def test_what_other_servers_do(scheme: str, answer: Callable[[socket.socket], None], reason: str):
    with ByteServer(answer) as server:
        # Only where it is waited for in vain is the wait short: a busy machine answers late.
        waits = reason == "timeout" or answer is KEPT_OPEN
        assert failure_of(server.url(scheme), connect_seconds=0.5 if waits else 10.0).reason == reason


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ('WWW-Authenticate: Digest realm="x", nonce="1", algorithm=SHA-256', "by SHA-256, which this FFmpeg does not know"),
        ("WWW-Authenticate: NTLM", "by NTLM, which this FFmpeg does not know"),
        ('WWW-Authenticate: Basic realm="x"', "refuses the user name or password"),
        ("", "wants a password and does not say how"),
    ],
)
def test_how_a_web_camera_asks_for_the_password_is_told(header: str, words: str):
    with ByteServer(http(401, close=True, header=header)) as server:
        last = failure_of(server.url("http").replace("//", "//admin:secret@"))
    assert last.reason == "auth"
    assert words in last.detail
    assert "secret" not in last.detail


def test_nothing_comes_by_udp():
    with refusing_port() as port:  # of TCP: UDP is another matter
        last = failure_of(f"udp://127.0.0.1:{port}", connect_seconds=0.5)
    assert last.reason == "timeout"


def test_a_recording_on_a_web_server_is_no_camera(tmp_path):
    body = render(tmp_path / "clip.mp4", frames=50, container_options={"movflags": "faststart"}).read_bytes()
    with ByteServer(http(200, body, length=True)) as server:
        last = failure_of(server.url("http"))
    assert (last.reason, "is a recording of 2 s" in last.detail) == ("not_live", True)


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_single_picture_on_a_web_server_is_no_camera(kind):
    """It was live for a moment, again and again."""
    picture = cv2.imencode(kind, np.full((48, 64, 3), 90, np.uint8))[1].tobytes()
    with ByteServer(http(200, picture, length=True, close=True)) as server:
        last = failure_of(server.url("http"))
    assert (last.reason, "gives a single picture: choose the path of its video" in last.detail) == ("not_live", True)


@pytest.mark.parametrize(
    ("status", "reason", "says"), [(503, "busy", "no session free"), (500, "server_error", "(status 500)")]
)
def test_the_status_of_a_web_camera_is_told(status, reason, says):
    with ByteServer(http(status, close=True)) as server:
        last = failure_of(server.url("http"))
    assert (last.reason, says in last.detail) == (reason, True)


@pytest.mark.parametrize("kind", ["text/html", "Text/HTML; charset=utf-8", "text/plain"])
@pytest.mark.parametrize("lines", [1, 2000])
def test_a_camera_that_shows_its_page_to_log_in_is_told(kind: str, lines: int):
    page = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n" + "<form action='/login'></form>\n" * lines

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(page.encode())
        connection.close()

    with ByteServer(answer) as server:
        last = failure_of(server.url("http"))
    assert (last.reason, "answers with a web page" in last.detail) == ("not_a_video", kind != "text/plain")


def test_a_protocol_that_ffmpeg_does_not_know():
    last = failure_of("nonsense://127.0.0.1/live")
    assert (last.reason, "nonsense://" in last.detail) == ("codec", True)


def test_a_playlist_cannot_read_files_of_this_machine(tmp_path):
    secret = render(tmp_path / "private.ts", frames=30)
    body = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.2,\nfile://{secret}\n#EXT-X-ENDLIST\n".encode()
    with ByteServer(http(200, body, close=True)) as server:
        assert failure_of(server.url("http")).reason in {"not_a_video", "no_video", "not_live", "network"}
