from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.web.attempts import Attempts
from tests.web.drawn_requests import Fuzzer, Tally
from tests.web.fuzz import check, is_clean, requests
from tests.web.fuzz_fast import try_piece
from tests.web.server import Server


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_request_breaks_anything(web: Server, data: st.DataObject) -> None:
    web.web.auth._attempts = Attempts()
    check(web, data.draw(requests(web.token)))
    assert is_clean(web) == []


def test_requests_in_one_piece_are_all_answered(web: Server) -> None:
    fuzzer, tally = Fuzzer(0, web.token), Tally()
    for _ in range(60):
        web.web.auth._attempts = Attempts()
        try_piece(web, fuzzer, tally)
    assert (tally.faults, is_clean(web)) == ([], [])
    assert sum(tally.answers.values()) > 250


def test_all_is_well_afterwards(web: Server) -> None:
    assert web.ask("GET", "/api/v1/status").status == 200
