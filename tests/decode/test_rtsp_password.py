from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decode import rtsp_password
from engine.decode.rtsp_password import Challenge, authorization, challenges, unknown_to_ffmpeg

RFC_7616 = (
    'WWW-Authenticate: Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
ONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def head(*lines: str) -> bytes:
    return "\r\n".join(["RTSP/1.0 401 Unauthorized", "CSeq: 1", *lines]).encode()


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard(monkeypatch, algorithm, response):
    monkeypatch.setattr(rtsp_password, "token_hex", lambda _: ONCE)
    asked = challenges(head(RFC_7616.format(algorithm=algorithm)))
    line = authorization(asked, "Mufasa", "Circle of Life", "GET", "/dir/index.html")
    assert re.findall(r'response="(\w+)"', line) == [response]
    assert "qop=auth" in line
    assert line.endswith("\r\n")


@pytest.mark.parametrize(
    ("lines", "ways", "unknown"),
    [
        (['WWW-Authenticate: Digest realm="a, b", nonce="1"'], ["digest "], ""),
        (['www-authenticate: basic realm="x"', "WWW-AUTHENTICATE: DIGEST realm=x,nonce=1"], ["basic ", "digest "], ""),
        (['WWW-Authenticate: Basic realm="x", Digest realm="x", nonce="1"'], ["basic ", "digest "], ""),
        (['WWW-Authenticate: Digest realm="Digest a=1", nonce="1", algorithm=MD5-sess'], ["digest MD5-SESS"], ""),
        (["WWW-Authenticate: Digest nonce=1, algorithm=MD5", "WWW-Authenticate: Digest nonce=1, algorithm=SHA-256"],
         ["digest MD5", "digest SHA-256"], "SHA-256"),
        (['WWW-Authenticate: Digest nonce=1, algorithm="SHA-512-256"', 'WWW-Authenticate: Basic realm="x"'],
         ["digest SHA-512-256", "basic "], "SHA-512-256"),
        (['WWW-Authenticate: Digest nonce=1, algorithm="a b"'], ["digest A B"], "an unknown algorithm"),
        (["WWW-Authenticate:", "WWW-Authenticate: Digest"], [], ""),
        (["WWW-Authenticate: Negotiate, NTLM"], ["negotiate ", "ntlm "], "Negotiate or NTLM"),
        (['WWW-Authenticate: Bearer realm="x"'], ["bearer "], "Bearer"),
        (["WWW-Authenticate: NTLM TlRMTVNTUAAC=="], ["ntlm "], "NTLM"),
        (["WWW-Authenticate: NTLM", 'WWW-Authenticate: Basic realm="x"'], ["ntlm ", "basic "], ""),
        (["WWW-Authenticate: " + "x" * 30], [f"{'x' * 30} "], "an unknown way"),
    ],
)  # fmt: skip
def test_ways_are_read_in_their_order(lines, ways, unknown):
    asked = challenges(head(*lines))
    assert [f"{one.scheme} {one.algorithm}" for one in asked] == ways
    assert unknown_to_ffmpeg(asked) == unknown


def test_the_strongest_known_way_is_answered():
    basic, md5, sha = Challenge("basic"), Challenge("digest"), Challenge("digest", {"algorithm": "sha-256"})
    other = Challenge("digest", {"algorithm": "SHA-512-256"})
    assert authorization([basic, md5, sha], "u", "p", "PLAY", "rtsp://c/").endswith("algorithm=sha-256\r\n")
    assert "Digest" in authorization([basic, md5, other], "u", "p", "PLAY", "rtsp://c/")
    assert authorization([other, basic], "u", "p", "PLAY", "rtsp://c/") == "Authorization: Basic dTpw\r\n"
    assert authorization([other], "u", "p", "PLAY", "rtsp://c/") == authorization([], "u", "p", "PLAY", "rtsp://c/") == ""


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_is_asked_one_line_is_answered(noise):
    asked = challenges(b"x\r\nWWW-Authenticate: Digest nonce=1, " + noise.replace(b"\n", b"") + b"\r\n")
    line = authorization(asked, "user", "secret", "PLAY", "rtsp://c/").encode(errors="surrogateescape")
    assert b"secret" not in line
    assert line.count(b"\n") in (0, 1)
    assert "\n" not in unknown_to_ffmpeg(asked)
