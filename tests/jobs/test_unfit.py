"""Workers that were not fit are started anew after pauses."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.jobs.unfit import Unfit

AWAY, OLD = "the storage does not answer", "it has another version"


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_has_its_place_again_after_a_pause_that_doubles() -> None:
    clock = Clock()
    unfit = Unfit(clock)
    for pause in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
        for _ in range(3):  # the workers of one node
            unfit.note("one", AWAY, may_pass=True)
        assert unfit.pausing == 3
        clock.now += pause - 0.1
        assert unfit.pausing == 3
        clock.now += 0.1
        assert unfit.pausing == 0
    unfit.forget("one")
    unfit.note("one", AWAY, may_pass=True)
    clock.now += 1.0
    assert unfit.pausing == 0


def test_a_node_says_once_what_it_lacks() -> None:
    unfit = Unfit()
    assert [unfit.note(node, AWAY, may_pass=True) for node in ("one", "one", "two")] == [f"one: {AWAY}", "", f"two: {AWAY}"]
    assert unfit.note("one", OLD, may_pass=False) == f"one: {OLD}"
    unfit.forget("one")
    assert [unfit.note(node, AWAY, may_pass=True) for node in ("one", "two")] == [f"one: {AWAY}", ""]


def test_what_may_pass_is_waited_for_and_given_up_in_the_end() -> None:
    clock = Clock()
    unfit = Unfit(clock)
    unfit.check()
    for _ in range(5):
        unfit.note("one", AWAY, may_pass=True)
        unfit.check()
        clock.now += 60.0
    unfit.note("one", AWAY, may_pass=True)
    with pytest.raises(UsageError, match="the storage does not answer"):
        unfit.check()


def test_what_does_not_pass_is_told_at_once() -> None:
    unfit = Unfit()
    unfit.note("one", OLD, may_pass=False)
    with pytest.raises(UsageError, match="one: it has another version"):
        unfit.check()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["one", "two"], "one, two: it has another version"),
        (["two", "one", "two"], "two, one: it has another version"),
        (["one", "two unseen"], "one: it has another version; two: unseen"),
        (["one unseen", "one"], "one: it has another version"),  # the newest
        (["one", "two unseen", "three"], "one, three: it has another version; two: unseen"),
        (list("abcdefgh"), "a, b, c, d, e and 3 more: it has another version"),
    ],
)
def test_each_reason_is_told_once_with_its_nodes(said: list[str], told: str) -> None:
    unfit = Unfit()
    for one in said:
        node, _, why = one.partition(" ")
        unfit.note(node, why or OLD, may_pass=False)
    with pytest.raises(UsageError) as ended:
        unfit.check()
    assert str(ended.value) == told


def test_a_node_that_may_be_fit_soon_is_waited_for_whatever_others_lack() -> None:
    clock = Clock()
    unfit = Unfit(clock)
    for _ in range(5):
        unfit.note("one", AWAY, may_pass=True)
        unfit.note("two", OLD, may_pass=False)
        unfit.check()
        clock.now += 60.0
    unfit.note("one", AWAY, may_pass=True)
    with pytest.raises(UsageError, match=f"one: {AWAY}; two: {OLD}"):
        unfit.check()
