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
        assert attempts.wait_seconds("192.0.2.1") == 0
        attempts.wrong("192.0.2.1")
    wait = attempts.wait_seconds("192.0.2.1")
    assert 0 < wait <= 6
    assert attempts.wait_seconds("192.0.2.2") == 0
    clock.seconds += wait
    assert attempts.wait_seconds("192.0.2.1") == 0


def test_strangers_together_wait_and_those_at_work_do_not() -> None:
    attempts = Attempts(Clock())
    attempts.right("192.0.2.9")
    for number in range(_IN_ALL):
        attempts.wrong(f"10.0.{number}.1")
    assert attempts.wait_seconds("10.9.9.9") > 0
    assert attempts.wait_seconds("192.0.2.9") == 0


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    attempts = Attempts(Clock())
    for number in range(_PER_ADDRESS):
        attempts.wrong(f"2001:db8::{number:x}")
    assert attempts.wait_seconds("2001:db8::ffff") > 0
    assert attempts.wait_seconds("2001:db8:0:1::1") == 0
    for _ in range(_PER_ADDRESS):
        attempts.wrong("::ffff:192.0.2.1")
    assert attempts.wait_seconds("192.0.2.1") > 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.web.attempts._MOST_ADDRESSES", 100)
    attempts = Attempts(Clock())
    for number in range(600):
        attempts.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        attempts.right(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert (len(attempts._wrong), len(attempts._right)) == (100, 100)
