"""What is said of addresses that are nearly right."""

from __future__ import annotations

import pytest

from engine.web.paths import API
from tests.web.server import Server


@pytest.mark.parametrize("path", ["/streams/", "/streams/door/", "/status/", "/settings/", "/tracks/r1/door/7/"])
def test_a_slash_too_many_is_told(web: Server, path: str) -> None:
    answer = web.ask("GET", API + path)
    assert (answer.status, answer.json["error"]["message"]) == (404, "there is nothing here: leave the / at the end out")


@pytest.mark.parametrize(
    ("path", "parameter", "words"),
    [
        ("/tracks?streams=door", "streams", "use some of from, to, stream, person, decision, cursor, limit"),
        ("/events?kind=face", "kind", "use some of kinds, streams"),
        ("/people?limit=5", "limit", "there are none here"),
        ("/streams/door?x", "x", "there are none here"),
        ("/tracks?limit=5&Stream=door", "Stream", "use some of from"),
    ],
)
def test_a_parameter_that_is_not_known_is_named(web: Server, path: str, parameter: str, words: str) -> None:
    """The tracks of all streams were the answer."""
    if "=" not in path:
        path += "="
    error = web.ask("GET", API + path).json["error"]
    assert (error["code"], error["field"]) == ("bad_request", parameter)
    assert error["message"].startswith(f"{parameter}: unknown parameter after the ?; {words}")


def test_another_method_is_said_to_be_impossible(web: Server) -> None:
    for method, path, allowed in (
        ("POST", "/api/v1/status", "GET, HEAD"),
        ("TRACE", "/", "GET, HEAD"),
        ("DELETE", "/api/v1/streams", "GET, HEAD, POST"),
        ("OPTIONS", "/api/v1/streams/door", "DELETE, GET, HEAD, PATCH"),
        ("PUT", "/console/main.js", "GET, HEAD"),
    ):
        answer = web.ask(method, path)
        assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "bad_request", allowed), path
    assert web.service.asked == []
