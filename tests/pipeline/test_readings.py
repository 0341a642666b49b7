from __future__ import annotations

from engine.contracts.orders import Assign
from engine.pipeline.readings import Readings

ORDERS = [Assign(name, f"/in/{name}.mp4".encode()) for name in "abc"]


def test_each_recording_is_given_once():
    readings = Readings(ORDERS)
    assert [readings.give(reader) for reader in ("decode-1", "decode-2", "decode-1", "decode-2")] == [*ORDERS, None]
    assert readings.in_hand("decode-1") == ORDERS[2]
    assert readings.in_hand("decode-2") is None


def test_a_death_fails_what_was_in_hand_and_the_successor_says_so():
    readings = Readings(ORDERS)
    readings.give("decode-1")
    event = readings.fail("decode-1", "the worker decode-1 was killed by signal SIGSEGV", interrupted=False)
    assert (event.stream, event.state, event.reason) == ("a", "failed", "worker_died")
    assert event.detail == "/in/a.mp4: the worker decode-1 was killed by signal SIGSEGV while it read this recording"
    assert readings.interrupted == set()
    assert list(readings.unsaid("decode-1")) == [event]
    assert list(readings.unsaid("decode-2")) == []
    readings.said("decode-1")
    assert list(readings.unsaid("decode-1")) == []
    assert readings.give("decode-1") == ORDERS[1], "the others are read on"


def test_a_reader_that_was_killed_from_outside_leaves_a_recording_to_read_again():
    readings = Readings(ORDERS)
    readings.give("decode-1")
    readings.fail("decode-1", "killed", interrupted=True)
    assert readings.interrupted == {"a"}
    readings.stop()
    assert readings.give("decode-1") is None
