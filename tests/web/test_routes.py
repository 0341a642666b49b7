from __future__ import annotations

from engine.control import verbs
from tests.web.server import Server


def test_status_is_that_of_the_service(web: Server) -> None:
    answer = web.ask("GET", "/api/v1/status")
    assert (answer.status, answer.json["state"], answer.json["streams"][0]["name"]) == (200, "running", "door")


def test_a_stream_is_added_as_the_body_says(web: Server) -> None:
    answer = web.ask("POST", "/api/v1/streams", {"source": {"uri": "rtsp://192.0.2.9/s", "name": "gate"}}, Idempotency_Key="k1")
    assert (answer.status, answer.json["name"]) == (201, "gate")
    asked = web.service.asked[-1]
    assert isinstance(asked.verb, verbs.AddStream)
    assert (asked.verb.source.uri, asked.idempotency_key, asked.on_behalf_of) == ("rtsp://192.0.2.9/s", "k1", "all")
