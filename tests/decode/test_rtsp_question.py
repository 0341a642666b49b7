from __future__ import annotations

import socket
import time
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.camera import Camera
from engine.decode import rtsp_question
from engine.decode.rtsp_question import Answer, ask
from tests.decode.byte_server import ByteServer, raw
from tests.rtsp.dialect import PLAIN
from tests.rtsp.dialects import CAMERAS
from tests.rtsp.dialects_in_part import ANSWERED, DESCRIBED
from tests.rtsp.listener import refusing_port
from tests.rtsp.quirks import DIGEST, READ, WAYS
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer


def camera(url: str) -> Camera:
    return Camera("cam", url, "shown")


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
@pytest.mark.parametrize("status", [400, 453, 454, 503])
def test_it_finds_the_status_of_any_request(clip, method, status):
    with ScriptedServer(clip, Behaviour(answers={method: status})) as server:
        assert ask(camera(server.url())) == Answer("", status)


@pytest.mark.parametrize("make", CAMERAS | DESCRIBED | ANSWERED)
def test_it_speaks_with_every_make_as_ffmpeg_does(clip, make):
    """It finds no objection where there is none, and the real one behind a password."""
    dialect = (CAMERAS | DESCRIBED | ANSWERED)[make]
    password = "admin:p@ss w:rd" if dialect.challenges else ""
    granted, busy = (Behaviour(dialect=dialect, credentials=password, answers=given) for given in ({}, {"PLAY": 453}))
    with ScriptedServer(clip, [granted, busy, granted]) as server:
        url = server.url(dialect.path, quote(password, safe=":").replace("admin%3A", "admin:"))
        answers = [ask(camera(url)) for _ in range(2)]
        assert [(answer.kind, answer.status) for answer in answers] == [("", 200), ("", 453)]
        assert server.counts.refused_passwords == 0
        assert bool(answers[0].asked) == bool(password)
        assert ask(camera(url), with_password=False).status == (401 if password else 200)
        assert server.counts.refused_passwords == 0


@pytest.mark.parametrize("quirk", READ)
def test_it_reads_what_ffmpeg_reads(clip, quirk):
    with ScriptedServer(clip, Behaviour(dialect=READ[quirk], answers={"PLAY": 503})) as server:
        assert ask(camera(server.url())) == Answer("", 503)


@pytest.mark.parametrize("way", [*WAYS.values(), (f"{DIGEST}, algorithm=SHA-256",)])
def test_it_gives_the_password_in_every_way(clip, way):
    behaviour = Behaviour(dialect=replace(PLAIN, challenges=way), credentials="admin:secret", answers={"SETUP": 454})
    with ScriptedServer(clip, behaviour) as server:
        assert ask(camera(server.url(credentials="admin:secret"))).status == 454
        assert ask(camera(server.url(credentials="admin:wrong"))).status == 401
        assert server.counts.refused_passwords == 1, "cameras lock accounts"


def test_blank_lines_before_answers(clip):
    with ScriptedServer(clip, Behaviour(dialect=replace(PLAIN, stray=b"\r\n\r\n"), answers={"PLAY": 503})) as server:
        assert ask(camera(server.url())) == Answer("", 503)


def test_a_server_with_no_objection_has_no_session_left_behind(clip):
    with ScriptedServer(clip) as server:
        assert ask(camera(server.url(credentials="admin:secret"))) == Answer("", 200)
        server.wait(lambda: server.counts.teardowns == 1)
        assert server.counts.sessions_open == 0


def test_pictures_that_come_with_the_end_of_a_session_do_not_cost_it():
    """A connection that is closed with pictures unread is reset, and the server may lose the TEARDOWN with it."""
    left: list[bytes] = []
    sdp = b"v=0\r\nm=video 0 RTP/AVP 96\r\n"

    def answer(connection: socket.socket) -> None:
        for method in (b"OPTIONS", b"DESCRIBE", b"SETUP", b"PLAY", b"TEARDOWN"):
            assert connection.recv(65536).startswith(method)
            if method in (b"PLAY", b"TEARDOWN"):
                connection.sendall((b"$\x00\x01\x00" + bytes(256)) * 2000)
            body = sdp if method == b"DESCRIBE" else b""
            connection.sendall(b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        left.append(connection.recv(65536))

    with ByteServer(answer) as server:
        assert ask(camera(server.url("rtsp"))) == Answer("", 200)
    assert left == [b""], "the client left as one does, without a reset"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (raw(b"", close=True), "closed"),
        (raw(b"RTSP/1.0 2", close=True), "closed"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n"), "garbage"),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "garbage"),
        (raw(b"\x16\x03\x01"), "garbage"),
        (raw(b"$\x00\x00\x05", close=True), "closed"),
        (raw(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", close=True), "closed"),
        (raw(b"RTSP/1.0 abc\r\n\r\n"), "garbage"),
        (raw(b"RTSP/1.0 200 OK\r\n" + b"a: b\r\n" * 20_000), "garbage"),
    ],
)
def test_answers_that_are_none(answer, kind):
    with ByteServer(answer) as server:
        assert ask(camera(server.url("rtsp"))).kind == kind


def drip(connection: socket.socket) -> None:
    """Begin an answer and never end it; an error ends this when the other side has gone."""
    connection.sendall(b"RTSP/1.0 200 OK\r\nServer: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.01)  # the slowness that is tested


def flood(connection: socket.socket) -> None:
    """Send pictures for ever, and no answer."""
    while True:
        connection.sendall((b"$\x00\x01\x00" + bytes(256)) * 20)


@pytest.mark.parametrize("answer", [drip, flood])
def test_a_server_that_never_answers_is_silent_in_the_end(monkeypatch, answer):
    monkeypatch.setattr(rtsp_question, "WAIT_SECONDS", 0.3)
    with ByteServer(answer) as server:
        assert ask(camera(server.url("rtsp"))).kind == "silent"


def test_urls_that_lead_nowhere():
    with refusing_port() as port:
        for url in (f"rtsp://127.0.0.1:{port}/x", "rtsp:///x", "rtsp://camera.invalid/x", "rtsp://127.0.0.1:99999/x"):
            assert ask(camera(url)) == Answer("refused", 0)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_whatever_a_server_sends_it_never_raises(data, like_rtsp):
    body = b"RTSP/1.0 200 OK\r\nContent-Length: 20\r\n\r\n" + data if like_rtsp else data
    with ByteServer(raw(body, close=True)) as server:
        answer = ask(camera(server.url("rtsp")))
    assert answer.kind in {"", "closed", "garbage"}
