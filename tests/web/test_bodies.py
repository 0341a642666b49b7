"""What is said of a body that does not fit."""

from __future__ import annotations

import pytest

from engine.web.bodies import JSON_BYTES
from engine.web.paths import API
from tests.web.server import Server

SOURCE = {"uri": "rtsp://192.0.2.9/s", "name": "gate"}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/streams", {"source": {"url": "rtsp://192.0.2.9/s"}}, "source.url: unknown key; did you mean uri? allowed here: uri"),
        ("/streams", {"uri": "rtsp://192.0.2.9/s"}, "uri: unknown key; did you mean source.uri? allowed here: source"),
        ("/streams", {"source": "rtsp://192.0.2.9/s"}, "source: expected a section of keys, got text"),
        ("/streams", {"source": SOURCE | {"rotate": 91}}, "source.rotate: unknown value 91; allowed: 0, 90, 180, 270"),
        ("/people/Ada/rename", {}, "the key new_name is missing"),
        ("/drain", {"now": True}, "now: unknown key; allowed here: none"),
        ("/streams/door/pause", {"seconds": 60}, "seconds: unknown key; allowed here: name"),
    ],
)
def test_what_is_wrong_in_a_body_is_told_with_what_is_allowed(web: Server, path: str, body: object, words: str) -> None:
    assert words in web.ask("POST", API + path, body).json["error"]["message"]


@pytest.mark.parametrize("times", [2, 20, 60])
def test_who_is_still_sending_what_is_too_large_sees_why_it_is_refused(web: Server, times: int) -> None:
    """The connection was reset under a client that was writing, which most do not look behind."""
    body = b"x" * (times * web.settings.http.upload_bytes)
    for _ in range(5):
        assert web.ask("POST", "/api/v1/people/Ada", body, Content_Type="image/jpeg").code == "too_large"


@pytest.mark.parametrize("more", [1, 1000, 100_000])
def test_what_is_too_large_is_refused_where_no_length_is_announced(web: Server, more: int) -> None:
    """Its last piece was waited for once more, and that was an error."""
    body = b"x" * (JSON_BYTES + more)
    head = f"PATCH {API}/settings HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {web.token}\r\nConnection: close\r\n"
    said = web.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"too_large" in said


def test_who_asks_before_sending_what_is_too_large_sends_nothing(web: Server) -> None:
    """As curl does. To discard it we had asked for it."""
    head = f"PATCH {API}/settings HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {web.token}\r\nConnection: close\r\n"
    said = web.raw(f"{head}Content-Length: {2 * JSON_BYTES}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 413 ")
