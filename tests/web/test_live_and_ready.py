"""What whoever supervises the service asks without a token: does it live, is it ready."""

from __future__ import annotations

import pytest

from engine.control import answers
from tests.web.server import Server, server
from tests.web.service import FakeService


def test_live_needs_nobody_and_ready_says_why_not(web: Server) -> None:
    assert web.ask("GET", "/live", token=None).status == 200
    assert web.ask("GET", "/ready", token=None).json == {"ready": True, "reason": ""}


@pytest.mark.parametrize(("silent_seconds", "code"), [(0.0, 200), (59.0, 200), (60.0, 503), (600.0, 503)])
def test_a_service_whose_run_hangs_does_not_live(service: FakeService, silent_seconds: float, code: int) -> None:
    with server(service) as running:
        service.answer = lambda request: answers.Status(
            version="1", state="running", ready=False, silent_seconds=silent_seconds
        )
        assert running.ask("GET", "/live", token=None).status == code


@pytest.mark.parametrize(
    ("state", "reason"), [("starting", "starting"), ("stopping", "being stopped"), ("running", "not ready")]
)
def test_ready_names_files_only_to_those_who_may_look(service: FakeService, state: str, reason: str) -> None:
    with server(service) as running:
        running.token = running.token_for(f"for-{state}", "view")
        service.answer = lambda request: answers.Status(version="1", state=state, ready=False, ready_detail="/models/x is gone")  # type: ignore[arg-type]
        strangers, known = running.ask("GET", "/ready", token=None), running.ask("GET", "/ready")
    assert (strangers.status, strangers.json["reason"]) == (503, reason)
    assert (known.status, known.json["reason"]) == (503, "/models/x is gone")
