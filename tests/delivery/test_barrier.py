"""Each event once, in order, and the last ones last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.streams import Checkpoint, StreamChanged
from engine.delivery.barrier import Barrier

ALL = ("0", "1", "2")


def life(stream: str = "cam", lanes: tuple[str, ...] = ALL, first: int = 0) -> list[StreamChanged]:
    states = ("connecting", "live", "discontinuity", "ended")
    return [StreamChanged(stream, state, event_id=first + number, lanes=lanes) for number, state in enumerate(states)]


@given(order=st.permutations([0] * 4 + [1] * 4 + [2] * 4))
def test_every_event_passes_once_in_order_and_the_last_one_last(order):
    """Three workers forward the same life, interleaved in any way."""
    barrier, next_of, out, events = Barrier("012"), [0, 0, 0], [], life()
    for worker in order:
        out.append(barrier.take(events[next_of[worker]], str(worker)))
        next_of[worker] += 1
    assert [event for passed in out for event in passed] == events
    assert out[-1] == [events[-1]], "`ended` waits for the last copy, before which no worker can send another face"


def test_a_dead_worker_is_not_waited_for():
    barrier, events = Barrier("01"), life(lanes=("0", "1"))
    for event in events[:2]:
        assert barrier.take(event, "0") == [event]
    assert barrier.take(events[3], "0") == []
    assert barrier.leave("1") == [events[3]]


def test_streams_do_not_wait_for_each_other():
    barrier = Barrier("01")
    other = StreamChanged("other", "failed", "not_a_video", event_id=9, lanes=("0", "1"))
    barrier.take(life(lanes=("0", "1"))[3], 0)
    assert barrier.take(other, "0") == []
    assert barrier.take(other, "1") == [other]


def test_a_worker_that_was_restarted_sends_some_again():
    barrier, events = Barrier("01"), life(lanes=("0", "1"))
    for event in events:
        barrier.take(event, "0")
    assert [barrier.take(event, "1") for event in events[2:]] == [[], [events[3]]]
    assert [barrier.take(event, "1") for event in events[2:]] == [[], []]


def test_a_checkpoint_waits_for_all_and_a_state_behind_it_does_not_lose_it():
    barrier = Barrier("01")
    checkpoint = Checkpoint("clip", 40, 7, event_id=5, lanes=("0", "1"))
    jump = StreamChanged("clip", "discontinuity", event_id=6, lanes=("0", "1"))
    assert barrier.take(checkpoint, "0") == []
    assert barrier.take(jump, "0") == [jump]
    assert barrier.take(checkpoint, "1") == [checkpoint]
    assert barrier.take(jump, "1") == []


def test_a_worker_that_came_later_is_not_waited_for():
    """The event was sent while the other worker was dead."""
    barrier = Barrier("01")
    ended = StreamChanged("cam", "ended", event_id=1, lanes=("0",))
    assert barrier.take(ended, "0") == [ended]


def test_the_next_life_of_a_stream_does_not_overtake_its_last_word():
    """A camera was removed and added again, and one worker is late."""
    barrier, before, after = Barrier("01"), life(lanes=("0", "1")), life(lanes=("0", "1"), first=5)
    for event in before[:3]:
        barrier.take(event, "0")
    assert barrier.take(before[3], "0") == []
    assert barrier.take(after[0], "0") == []
    assert barrier.take(before[3], "1") == [before[3]]
    assert barrier.take(after[0], "1") == [after[0]]
    assert barrier.take(after[1], "0") == [after[1]]


def test_a_last_word_whose_copy_went_with_a_publisher_that_died_does_not_hold_the_next_life_up_nor_follow_it():
    barrier, before, after = Barrier("01"), life(lanes=("0", "1")), life(lanes=("0", "1"), first=5)
    assert barrier.take(before[3], "1") == []
    assert barrier.take(after[0], "0") == []
    assert barrier.take(after[0], "1") == [after[0]]
    assert barrier.leave("0") == []
