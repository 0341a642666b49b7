from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.server import Server, server
from tests.web.service import FakeService, usual_answer


@pytest.fixture(scope="module")
def service() -> Iterator[FakeService]:
    running = FakeService()
    yield running
    running.close()


@pytest.fixture(scope="module")
def _running(service: FakeService) -> Iterator[Server]:
    with server(service, hosts=("cameras.example.org",)) as running:
        running.token = running.token_for("all", "view", "operate", "enrol")
        yield running


@pytest.fixture
def web(_running: Server) -> Server:
    """A server that is shared by the tests of a file; the service behind it answers as usual."""
    _running.service.answer = usual_answer
    _running.service.asked.clear()
    return _running
