from __future__ import annotations

import pytest

from engine.web.attempts import _IN_ALL, _PER_ADDRESS, Attempts


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_an_address_waits_after_too_many_and_is_heard_again() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(_PER_ADDRESS):
        assert attempts.wait_seconds("192.0.2.1", fits=False) == 0
        attempts.wrong("192.0.2.1")
    wait = attempts.wait_seconds("192.0.2.1", fits=False)
    assert 0 < wait <= 6
    assert attempts.wait_seconds("192.0.2.2", fits=False) == 0
    clock.seconds += wait
    assert attempts.wait_seconds("192.0.2.1", fits=False) == 0


def test_only_wrong_ones_are_not_heard_where_a_right_one_came_from() -> None:
    """A proxy: all the house comes through it, and one who guesses."""
    attempts = Attempts(Clock())
    attempts.right("192.0.2.1")
    for place in ("192.0.2.1", "192.0.2.2"):
        for _ in range(_PER_ADDRESS):
            attempts.wrong(place)
    assert attempts.wait_seconds("192.0.2.1", fits=True) == 0
    assert attempts.wait_seconds("192.0.2.1", fits=False) > 0
    assert attempts.wait_seconds("192.0.2.2", fits=True) > 0  # whoever guesses there learns nothing
    assert attempts.wait_seconds("192.0.2.3", fits=True) == 0


def test_strangers_together_wait_and_those_at_work_do_not() -> None:
    attempts = Attempts(Clock())
    attempts.right("192.0.2.9")
    for number in range(_IN_ALL):
        attempts.wrong(f"10.0.{number}.1")
    assert attempts.wait_seconds("10.9.9.9", fits=False) > 0
    assert attempts.wait_seconds("192.0.2.9", fits=False) == 0


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    attempts = Attempts(Clock())
    for number in range(_PER_ADDRESS):
        attempts.wrong(f"2001:db8::{number:x}")
    assert attempts.wait_seconds("2001:db8::ffff", fits=False) > 0
    assert attempts.wait_seconds("2001:db8:0:1::1", fits=False) == 0
    for _ in range(_PER_ADDRESS):
        attempts.wrong("::ffff:192.0.2.1")
    assert attempts.wait_seconds("192.0.2.1", fits=False) > 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.attempts._MOST_ADDRESSES", 100)
    attempts = Attempts(Clock())
    for number in range(600):
        attempts.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        attempts.right(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert (len(attempts._wrong), len(attempts._right)) == (100, 100)
