"""Cameras behind TLS: what is wrong with a certificate, and with a password, is one sentence each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.decode.byte_server import ByteServer, http
from tests.decode.certificates import camera_certificate, serving
from tests.decode.test_camera_errors import failure_of
from tests.decode.watching import watching
from tests.rtsp.script import Behaviour
from tests.rtsp.scripted import ScriptedServer

HEALTHY = Behaviour()


@pytest.mark.parametrize("scheme", ["https", "rtsps"])
@pytest.mark.parametrize(
    ("made", "trusted", "says"),
    [
        ({}, False, "is signed by itself: name it by the option ca_file"),
        ({"days": (-30, -1)}, True, "has expired: renew it"),
        ({"days": (1, 30)}, True, "is not valid yet: set its clock"),
        ({"address": "192.0.2.1"}, True, "is made out to another address"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(clip, tmp_path: Path, scheme, made, trusted, says):
    certificate = camera_certificate(tmp_path, **made)
    options = {"tls_verify": "1"} | ({"ca_file": str(certificate)} if trusted else {})
    if scheme == "https":
        with ByteServer(http(404, close=True), serving(certificate)) as server:
            last = failure_of(server.url("https"), options=options)
    else:
        with ScriptedServer(clip, HEALTHY, tls=serving(certificate)) as server:
            last = failure_of(server.url(), options=options)
    assert last.reason == "network"
    assert f"shows a certificate that {says}" in last.detail


def test_any_certificate_will_do_where_nobody_asks(clip, tmp_path):
    certificate = camera_certificate(tmp_path, "192.0.2.1", (-30, -1))
    with ScriptedServer(clip, HEALTHY, tls=serving(certificate)) as server, watching(server.url()) as watch:
        watch.until(lambda w: len(w.frames) == 5)


def test_one_that_is_trusted_is_taken(clip, tmp_path):
    certificate = camera_certificate(tmp_path)
    options = {"tls_verify": "1", "ca_file": str(certificate)}
    with ScriptedServer(clip, HEALTHY, tls=serving(certificate)) as server, watching(server.url(), options=options) as watch:
        watch.until(lambda w: len(w.frames) == 5)


def test_who_names_authorities_wants_them_to_count(clip, tmp_path):
    """Without tls_verify any certificate was taken; now nobody else's is, and no password is sent there."""
    (tmp_path / "other").mkdir()
    options = {"ca_file": str(camera_certificate(tmp_path / "other"))}
    with ScriptedServer(clip, Behaviour(credentials="admin:secret"), tls=serving(camera_certificate(tmp_path))) as server:
        last = failure_of(server.url(credentials="admin:secret"), options=options)
        assert "shows a certificate that is signed by itself" in last.detail
        assert server.counts.requests.total() == 0


@pytest.mark.parametrize("value", ["true", "yes", "on"])
def test_verification_is_asked_for_in_any_words(clip, tmp_path, value):
    with ScriptedServer(clip, HEALTHY, tls=serving(camera_certificate(tmp_path))) as server:
        assert "is signed by itself" in failure_of(server.url(), options={"tls_verify": value}).detail


def test_options_that_ffmpeg_refuses_are_named(clip, tmp_path):
    """It could not be opened: Invalid argument."""
    with ScriptedServer(clip, HEALTHY, tls=serving(camera_certificate(tmp_path))) as server:
        last = failure_of(server.url(), options={"tls_verify": "abc"})
    assert "cannot be opened with its options (tls_verify): check their values" in last.detail


def test_authorities_that_cannot_be_read_are_told(clip, tmp_path):
    (tmp_path / "none.pem").write_text("no certificate")
    options = {"tls_verify": "1", "ca_file": str(tmp_path / "none.pem")}
    with ScriptedServer(clip, HEALTHY, tls=serving(camera_certificate(tmp_path))) as server:
        last = failure_of(server.url(), options=options)
    assert "none.pem holds no certificates that can be read" in last.detail


@pytest.mark.parametrize("auth", ["digest", "basic"])
def test_a_password_is_given_behind_tls(clip, tmp_path, auth):
    tls = serving(camera_certificate(tmp_path))
    with ScriptedServer(clip, Behaviour(credentials="admin:secret", auth=auth), tls=tls) as server:
        with watching(server.url(credentials="admin:secret")) as watch:
            watch.until(lambda w: len(w.frames) == 5)
        last = failure_of(server.url())
        assert (last.reason, "asks for a user name and password" in last.detail) == ("auth", True)
    with ScriptedServer(clip, Behaviour(credentials="admin:other", auth=auth), tls=tls) as server:
        last = failure_of(server.url(credentials="admin:secret"))
        assert (last.reason, "refuses the user name or password" in last.detail) == ("auth", True)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ('WWW-Authenticate: Digest realm="x", nonce="1", algorithm=SHA-256', "by SHA-256, which this FFmpeg does not know"),
        ("WWW-Authenticate: NTLM", "by NTLM, which this FFmpeg does not know"),
        ('WWW-Authenticate: Digest realm="x", nonce="1", qop="auth"', "refuses the user name or password"),
    ],
)
def test_how_a_web_camera_behind_tls_asks_for_the_password_is_told(tmp_path, header, words):
    with ByteServer(http(401, close=True, header=header), serving(camera_certificate(tmp_path))) as server:
        last = failure_of(server.url("https").replace("//", "//admin:secret@"))
    assert (last.reason, words in last.detail) == ("auth", True)
