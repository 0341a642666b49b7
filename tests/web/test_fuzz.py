from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.web.attempts import Attempts
from tests.web.fuzz import check, is_clean, requests
from tests.web.server import Server


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_request_breaks_anything(web: Server, data: st.DataObject) -> None:
    web.web.auth._attempts = Attempts()
    check(web, data.draw(requests(web.token)))
    assert is_clean(web) == []


def test_all_is_well_afterwards(web: Server) -> None:
    assert web.ask("GET", "/api/v1/status").status == 200
