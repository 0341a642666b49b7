"""The way to the service, when the service is slow, away, or talks nonsense."""

from __future__ import annotations

import pytest

from engine.control import verbs
from engine.web import link
from engine.words.seldom import Seldom
from tests.patience import until
from tests.web.server import Server, server
from tests.web.service import FakeService, usual_answer


def test_who_does_not_answer_in_time_is_said_and_a_late_answer_is_nobodys(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    web.service.answer = lambda request: None
    with monkeypatch.context() as impatient:
        impatient.setattr(link, "_SECONDS", 0.2)
        answer = web.ask("GET", "/api/v1/people")
    assert (answer.status, answer.code) == (504, "deadline")
    late = until(lambda: web.service.asked[-1:])[0]
    web.service.answer = lambda request: usual_answer(request) if request.request_id != late.request_id else None
    assert web.ask("GET", "/api/v1/people").json["people"][0]["name"] == "Ada"
    assert web.web.link._waiting == {}


def test_without_a_service_everything_else_goes_on(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(link._OTHER_SECONDS, verbs.GetStatus, 0.2)
    away = FakeService()
    with server(away) as running:
        running.token = running.token_for("all", "view")
        away._router.unbind(f"ipc://{away.folder}/web.sock")
        away.answer = lambda request: None
        assert running.ask("GET", "/api/v1/status").status == 504
        assert running.ask("GET", "/ready").json == {"ready": False, "reason": "the service does not answer"}
        assert running.ask("GET", "/live").status == 200
        assert running.ask("GET", "/").status == 200
    away.close()


@pytest.mark.parametrize("garbage", [b"\xc1", b"", b"\x81\xaarequest_id\xa1\xff", b"\x91\x01", b"\x80"])
def test_a_reply_that_cannot_be_read_is_one_line_and_harms_no_other(
    web: Server, monkeypatch: pytest.MonkeyPatch, garbage: bytes
) -> None:
    monkeypatch.setattr(web.web.report, "_seldom", Seldom(web.web.report.tell))
    before = len(web.lines)
    with monkeypatch.context() as patched:
        patched.setattr(link, "_SECONDS", 0.2)
        patched.setattr("tests.web.service.encode_reply", lambda reply: garbage)
        assert web.ask("GET", "/api/v1/people").status == 504
        until(lambda: len(web.lines) > before, "the line")
    assert web.ask("GET", "/api/v1/people").status == 200
    assert ["cannot be read" in line for line in web.lines[before:]] == [True]


def test_the_status_is_asked_once_however_many_want_it(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.link._MAX_AGE_SECONDS", 1e9)
    for _ in range(5):
        assert web.ask("GET", "/api/v1/status").status == 200
    assert sum(isinstance(request.verb, verbs.GetStatus) for request in web.service.asked) <= 1


def test_an_unforeseen_error_is_one_line_and_tells_strangers_nothing(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("at /secret/place")

    monkeypatch.setattr(web.web.auth.link, "fits", lambda secret: fail())
    answer = web.ask("GET", "/login/the-secret", token=None)
    assert (answer.status, answer.code) == (500, "failed")
    assert b"secret" not in answer.body
    assert web.said("RuntimeError") == ["GET /login/{secret} failed: RuntimeError('at /secret/place')"]


def test_so_many_questions_at_once_and_no_more(web: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "_MOST_AT_ONCE", 0)
    answer = web.ask("GET", "/api/v1/people")
    assert (answer.status, answer.code) == (503, "busy")


def test_a_number_that_the_wire_cannot_carry_is_the_askers_fault(web: Server) -> None:
    for method, path in (("PATCH", "/api/v1/settings"), ("PATCH", "/api/v1/streams/door")):
        answer = web.ask(method, path, {"live.detect_fps": [2**64]})
        assert (answer.status, answer.code) == (400, "bad_request")
        assert "64 bits" in answer.json["error"]["message"]
