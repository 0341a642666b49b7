from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.links import StreamChanged
from engine.pipeline.publish_worker import _Barrier

LIFE = [StreamChanged("cam", state) for state in ("connecting", "live", "discontinuity", "ended")]


@given(order=st.permutations([0] * 4 + [1] * 4 + [2] * 4))
def test_every_event_passes_once_in_order_and_the_last_one_last(order):
    """Three workers forward the same life, interleaved in any way."""
    barrier, next_of, out = _Barrier(3), [0, 0, 0], []
    for worker in order:
        out.append(barrier.take(LIFE[next_of[worker]], worker))
        next_of[worker] += 1
    assert [event for events in out for event in events] == LIFE
    assert out[-1] == [LIFE[-1]], "`ended` waits for the last copy, before which no worker can send another face"


def test_a_dead_worker_is_not_waited_for():
    barrier = _Barrier(2)
    for event in LIFE[:2]:
        assert barrier.take(event, 0) == [event]
    assert barrier.take(LIFE[3], 0) == []
    assert barrier.leave(1) == [LIFE[3]]


def test_streams_do_not_wait_for_each_other():
    barrier = _Barrier(2)
    other = StreamChanged("other", "failed", "not_a_video")
    barrier.take(LIFE[3], 0)
    assert barrier.take(other, 0) == []
    assert barrier.take(other, 1) == [other]
