from __future__ import annotations

from msgspec.structs import replace

from engine.contracts.orders import Assign, Settled
from engine.contracts.recording import Sent
from engine.pipeline.readings import Readings
from engine.runtime.protocol import Drain

ORDERS = [Assign(Sent(name, f"/in/{name}.mp4".encode())) for name in "abc"]


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


class Bench:
    """Readers beside a camera, and what each was told."""

    def __init__(self, *readers: str) -> None:
        self.readings = Readings(ORDERS, settles=True)
        self.told: list[tuple[str, object]] = []
        for reader in readers:
            self.readings.want(reader)
        self.given(*readers)

    def given(self, *readers: str) -> dict[str, object]:
        """Return what is handed out now, by reader."""
        self.told.clear()
        self.readings.hand_out(lambda reader, order: self.told.append((reader, order)), Drain())
        return dict(self.told)

    def want(self, reader: str) -> dict[str, object]:
        self.readings.want(reader)
        return self.given()


def test_what_perceive_took_along_is_read_again_from_the_last_checkpoint():
    """Of what was in hand, and of what had been read and not been said in full; not of what had been said."""
    bench = Bench("one")
    for _ in "ab":
        bench.want("one")
    bench.readings.settle(Settled("a"))
    bench.readings.settle(Settled("b", 40))
    bench.readings.settle(Settled("b", 30))
    assert bench.readings.note_death("perceive") == []
    assert bench.readings.may_read_again("one")
    bench.readings.read_again("one")
    again = {order.stream: order for order in [bench.want("one")["one"], bench.want("one")["one"]]}
    assert again == {"b": replace(ORDERS[1], first_frame=41), "c": ORDERS[2]}
    assert bench.want("one") == {}, "it is not dismissed while something may have to be read again"
    for stream in "bc":
        bench.readings.settle(Settled(stream))
    assert bench.given() == {"one": Drain()}


def test_whether_perceive_or_its_reader_is_missed_first_a_recording_is_read_once_more():
    for perceive_first in (True, False):
        bench = Bench("one")
        if perceive_first:
            bench.readings.note_death("perceive")
        bench.readings.read_again("one")
        if not perceive_first:
            bench.readings.note_death("perceive")
        assert [bench.want("one")["one"] for _ in range(3)] == ORDERS
        assert bench.want("one") == {}


def test_a_recording_with_which_perceive_dies_without_end_fails():
    """Whether it is in hand or has been read; a checkpoint between shows that it goes on."""
    bench = Bench("one")
    bench.want("one")
    for death in range(2):
        assert bench.readings.note_death("perceive") == []
        bench.readings.read_again("one")
        assert {bench.want("one")["one"].stream, bench.want("one")["one"].stream} == {"a", "b"}, death
    bench.readings.settle(Settled("b", 5))
    in_hand = bench.readings.in_hand("one")
    assert in_hand is not None
    failed = bench.readings.note_death("perceive")
    assert [(event.stream, event.state, event.reason) for event in failed] == (
        [] if in_hand.stream == "a" else [("a", "failed", "worker_died")]
    )
    assert bench.readings.may_read_again("one") == (in_hand.stream == "b")


def test_a_reader_that_ends_again_and_again_while_perceive_lives_is_believed_in_the_end():
    bench = Bench("one")
    times = 0
    while bench.readings.may_read_again("one"):
        bench.readings.read_again("one")
        assert bench.want("one") == {"one": ORDERS[0]}
        times += 1
    assert times == 10


def test_the_end_of_what_has_been_read_is_not_waited_for_when_publish_dies_which_may_have_known_it():
    bench = Bench("one")
    for _ in ORDERS:
        bench.want("one")
    assert bench.given() == {}
    bench.readings.note_death("publish")
    assert bench.given() == {"one": Drain()}
