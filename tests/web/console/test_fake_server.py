from __future__ import annotations

from contextlib import closing, suppress
from http.client import HTTPConnection, IncompleteRead

from tests.patience import PATIENCE_SECONDS
from tests.web.console.fake_server import FakeServer


def test_it_closes_what_a_page_has_left_open():
    """A browser that is slow to go leaves the events; what stayed open was told at any later test."""
    server = FakeServer()
    with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=PATIENCE_SECONDS / 4)) as page:
        page.request("POST", "/api/v1/session", '{"token": "all"}')
        answer = page.getresponse()
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        answer.read()
        page.request("GET", "/api/v1/events?kinds=status", headers={"Cookie": cookie})
        events = page.getresponse()
        assert events.status == 200
        server.close()
        with suppress(IncompleteRead, ConnectionResetError):
            events.read()
    assert not server._thread.is_alive()
