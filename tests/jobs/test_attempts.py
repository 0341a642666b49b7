"""What is made of attempts that left nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.jobs.attempts import DEATHS, ERRORS, LOSSES, Attempt, judge
from engine.jobs.messages import Outcome

OUTCOMES = st.sampled_from(["error", "died", "lost"])


@pytest.mark.parametrize(
    ("outcomes", "fate", "pause"),
    [
        ([], "again", 0.0),
        (["failed"], "failed", 0.0),
        (["died"], "again", 1.0),
        (["died", "died"], "set_aside", 0.0),
        (["died", "lost", "died"], "set_aside", 0.0),
        (["error", "error"], "again", 2.0),
        (["died", "error", "error"], "again", 4.0),
        (["error"] * 3, "failed", 0.0),
        (["lost"] * 5, "again", 16.0),
        (["lost"] * 6, "set_aside", 0.0),
    ],
)
def test_fates(outcomes: list[Outcome], fate: str, pause: float) -> None:
    verdict = judge([Attempt(outcome, "x") for outcome in outcomes])
    assert (verdict.fate, verdict.pause_seconds) == (fate, pause)


def test_the_reason_says_how_often_and_how() -> None:
    died = [Attempt("died", "was killed by signal SIGSEGV")] * 2
    assert judge(died).reason == "2 processes died of it; the last one was killed by signal SIGSEGV"


@given(st.lists(OUTCOMES, max_size=30))
def test_nothing_is_tried_for_ever(outcomes: list[Outcome]) -> None:
    tried = list[Attempt]()
    for outcome in outcomes:
        if judge(tried).fate != "again":
            break
        tried.append(Attempt(outcome, "x"))
    assert len(tried) <= DEATHS + ERRORS + LOSSES - 2
    assert 0.0 <= judge(tried).pause_seconds <= 60.0
