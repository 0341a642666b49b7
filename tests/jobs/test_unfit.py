"""Workers that were not fit are started anew after pauses."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.jobs.unfit import Unfit

AWAY = "one: the storage does not answer"


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
    assert [unfit.note(node, AWAY, may_pass=True) for node in ("one", "one", "two")] == [True, False, True]
    assert unfit.note("one", "one has another version", may_pass=False)
    unfit.forget("one")
    assert [unfit.note(node, AWAY, may_pass=True) for node in ("one", "two")] == [True, False]


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
    unfit.note("one", "one has another version", may_pass=False)
    with pytest.raises(UsageError, match="has another version"):
        unfit.check()
