from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.runtime.batcher import Batcher

ARRIVALS = st.lists(st.floats(0, 0.2), max_size=60)


def test_full_batch_closes_at_once():
    batcher: Batcher[int] = Batcher(max_batch=2, max_wait_seconds=10)
    assert batcher.add(1, now=0.0) is None
    assert batcher.add(2, now=0.0) == [1, 2]
    assert len(batcher) == 0


def test_waiting_time_counts_from_the_first_item():
    batcher: Batcher[int] = Batcher(max_batch=10, max_wait_seconds=1.0)
    batcher.add(1, now=5.0)
    batcher.add(2, now=5.9)
    assert batcher.seconds_left(now=5.9) == 1.0 - (5.9 - 5.0)
    assert batcher.due(now=5.99) is None
    assert batcher.due(now=6.0) == [1, 2]
    assert batcher.seconds_left(now=6.0) is None


@given(gaps=ARRIVALS, max_batch=st.integers(1, 8), wait=st.floats(0, 0.3))
def test_nothing_is_lost_reordered_or_late(gaps, max_batch, wait):
    batcher: Batcher[tuple[int, float]] = Batcher(max_batch, wait)
    now, batches = 0.0, []
    for number, gap in enumerate(gaps):
        arrival = now + gap
        left = batcher.seconds_left(now)
        if left is not None and now + left <= arrival:
            now += left
            batches.append((now, batcher.due(now) or batcher.close()))
        now = arrival
        if (full := batcher.add((number, now), now)) is not None:
            batches.append((now, full))
    if len(batcher):
        now += batcher.seconds_left(now)
        batches.append((now, batcher.close()))
    assert [number for _, batch in batches for number, _ in batch] == list(range(len(gaps)))
    for closed, batch in batches:
        assert 1 <= len(batch) <= max_batch
        assert closed - batch[0][1] <= wait + 1e-9
