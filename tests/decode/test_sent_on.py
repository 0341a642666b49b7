"""Cameras that send their readers on to another address: followed where that may be, and told where it may not or fails."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from socket import MSG_PEEK

import pytest

from tests.decode.byte_server import ByteServer, http
from tests.decode.certificates import camera_certificate, serving
from tests.decode.test_camera_errors import failure_of
from tests.decode.watching import watching
from tests.rtsp.dialect import PLAIN
from tests.rtsp.listener import refusing_port
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer


def sending_on(place: str, method: str = "DESCRIBE", status: int = 302, **behaviour: object) -> Behaviour:
    return Behaviour(
        answers={method: status},
        dialect=replace(PLAIN, refused=("CSeq: {cseq}", f"Location: {place}")),
        **behaviour,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(("method", "status"), [("DESCRIBE", 302), ("DESCRIBE", 301), ("OPTIONS", 302)])
def test_an_rtsp_camera_is_followed(clip, method, status):
    """It could not be opened: Invalid argument."""
    with (
        ScriptedServer(clip) as other,
        ScriptedServer(clip, sending_on(other.url(), method, status)) as server,
        watching(server.url()) as watch,
    ):
        watch.until(lambda w: len(w.frames) == 5)
    assert watch.order == ["connecting", "live", "frame"]


def test_it_is_followed_to_where_it_is_encrypted_and_never_back(clip, tmp_path):
    tls = serving(camera_certificate(tmp_path))
    with (
        ScriptedServer(clip, tls=tls) as other,
        ScriptedServer(clip, sending_on(other.url())) as server,
        watching(server.url()) as watch,
    ):
        watch.until(lambda w: len(w.frames) == 5)
    with ScriptedServer(clip) as other, ScriptedServer(clip, sending_on(other.url()), tls=tls) as server:
        last = failure_of(server.url())
        assert f"sends its readers on to {other.url()}: give that address" in last.detail
        assert other.counts.requests.total() == 0


def test_a_password_is_taken_to_no_place_that_a_camera_names(clip):
    """FFmpeg showed it to whoever asked for it there."""
    with (
        ScriptedServer(clip, Behaviour(credentials="admin:secret", auth="basic")) as other,
        ScriptedServer(clip, sending_on(other.url(), credentials="admin:secret")) as server,
    ):
        last = failure_of(server.url(credentials="admin:secret"))
        assert f"sends its readers on to {other.url()}: give that address, with user and password" in last.detail
        assert other.counts.requests.total() == 0


def test_where_others_have_given_a_camera_it_is_not_followed_and_told(clip):
    with ScriptedServer(clip) as other, ScriptedServer(clip, sending_on(other.url())) as server:
        last = failure_of(server.url(), networks=("loopback",))
        assert f"sends its readers on to {other.url()}: give that address" in last.detail
        assert other.counts.requests.total() == 0


@pytest.mark.parametrize(
    "place", ["rtsp://127.0.0.1:{port}/cam", "rtsp://camera.invalid/cam", "http://127.0.0.1:{port}/", "rtsp://u:p@h/x"]
)
def test_where_nothing_is_the_address_is_told(clip, place):
    """The first one was said to refuse the connection, or to send no video."""
    with refusing_port() as port, ScriptedServer(clip, sending_on(place.format(port=port))) as server:
        last = failure_of(server.url())
    assert f"sends its readers on to {place.format(port=port).replace('u:p@', '')}: give that address" in last.detail


@pytest.mark.parametrize("place", ["rtsp://[x/y", "//[", "rtsp://a\x1b[31mb/c"])
def test_what_is_no_address_is_not_told(clip, place):
    """It was said to have broken its reader, which was to be reported."""
    with ScriptedServer(clip, sending_on(place)) as server:
        last = failure_of(server.url())
    assert (last.reason == "codec", "sends its readers on" in last.detail) == (False, False)


def test_an_address_without_a_host_is_one_of_the_same_camera(clip):
    with ScriptedServer(clip, sending_on("/other")) as server:
        assert f"on to rtsp://127.0.0.1:{server.port}/other:" in failure_of(server.url()).detail


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("{other}", "auth"),
        ("https://127.0.0.1:{port}/v", "network"),
        ("rtsp://127.0.0.1:{port}/v", "network"),
        ("file:///etc/hostname", "network"),
    ],
)
def test_a_web_camera_that_leads_to_where_it_cannot_be_read(place, reason):
    """Its password was said to be refused, which FFmpeg does not take along, or its port to be wrong."""
    with refusing_port() as port, ByteServer(http(401, close=True)) as other:
        place = place.format(port=port, other=other.url("http"))
        with ByteServer(http(302, length=True, header=f"Location: {place}")) as server:
            last = failure_of(server.url("http").replace("//", "//admin:secret@"))
    assert (last.reason, f"sends its readers on to {place}: give that address" in last.detail) == (reason, True)


@pytest.mark.parametrize(
    "place", ["rtsp://127.0.0.1:{port}/cam", "/cam", "//127.0.0.1:{port}/cam", "RTSP://u:p@127.0.0.1:{port}/cam"]
)
def test_a_camera_that_leads_to_itself_says_so(clip, place):
    """Its own address was to be given. Without a password FFmpeg follows it until its time is over."""
    with ScriptedServer(clip) as server:
        server.script(sending_on(place.format(port=server.port), credentials="admin:secret"))
        last = failure_of(server.url(credentials="admin:secret"))
    assert (last.reason, "sends its readers on to its own address" in last.detail) == ("server_error", True)
    with ScriptedServer(clip) as server:
        server.script(sending_on(place.format(port=server.port)))
        last = failure_of(server.url(), connect_seconds=1.0)
    assert (last.reason, "sends its readers on to its own address" in last.detail) == ("server_error", True)


def test_a_web_camera_that_is_not_followed_says_where_it_leads():
    with ByteServer(http(302, length=True, header="Location: http://192.0.2.1/v?token=x")) as server:
        last = failure_of(server.url("http"), options={"max_redirects": "0"})
    assert "sends its readers on to http://192.0.2.1/v?***: give that address" in last.detail


@pytest.mark.parametrize("asks", ['Basic realm="x"', 'Digest realm="x", nonce="1", qop="auth"'])
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/v", "//127.0.0.1:{port}/v", "http://u@127.0.0.1:{port}/v", "@127.0.0.1:{port}/v"]
)
def test_a_web_camera_that_sends_on_once_it_has_the_password_sends_it_nowhere_else(asks, place):
    told = []

    def elsewhere(client):
        told.append(client.recv(65536, MSG_PEEK))
        http(401, close=True, header=f"WWW-Authenticate: {asks}")(client)

    def leading(client):
        has_password = b"Authorization:" in client.recv(65536, MSG_PEEK)
        header = f"Location: {place.format(port=other.port)}" if has_password else f"WWW-Authenticate: {asks}"
        http(302 if has_password else 401, length=True, close=True, header=header)(client)

    with ByteServer(elsewhere) as other, ByteServer(leading) as server:
        last = failure_of(server.url("http").replace("//", "//admin:secret@"))
    assert last.reason
    assert not [head for head in told if b"admin" in head or b64encode(b"admin:secret") in head]
