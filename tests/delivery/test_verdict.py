from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.contracts.counts import Calls
from engine.contracts.streams import StreamChanged
from engine.delivery.barrier import Barrier
from engine.delivery.verdict import judged
from tests.carried import carried

ENDED = StreamChanged("cam", "ended", "end_of_file")


@pytest.mark.parametrize(("worked", "failed", "state"), [(0, 3, "failed"), (1, 3, "ended"), (3, 0, "ended"), (0, 0, "ended")])
def test_a_stream_has_failed_only_where_no_call_worked(worked, failed, state):
    calls = {"detect": Calls(worked + failed, failed, "detect failed: no memory"), "track": Calls(3, 0)}
    verdict = judged(ENDED.with_account(calls))
    assert verdict.state == state
    if state == "failed":
        assert (verdict.reason, verdict.detail) == ("model", "detect failed: no memory (none of 3 calls worked)")


def test_what_has_failed_already_keeps_its_reason():
    cut = StreamChanged("cam", "failed", "truncated", "it breaks off", calls={"detect": Calls(1, 1, "detect failed: no")})
    assert judged(cut).reason == "truncated"


def test_the_calls_of_all_workers_count_together():
    """One of two workers had a single face, on which the model failed: the other's worked."""
    copies = [ENDED, ENDED]
    copies[0] = StreamChanged("cam", "ended", event_id=1, lanes=("0", "1"), calls={"verify": Calls(1, 1, "verify failed: no")})
    copies[1] = StreamChanged("cam", "ended", event_id=1, lanes=("0", "1"), calls={"verify": Calls(5, 0)})
    assert all(carried(copy) == copy for copy in copies)
    assert copies[0].with_account(copies[1].calls).calls == {"verify": Calls(6, 1, "verify failed: no")}
    for order in (copies, copies[::-1]):
        barrier = Barrier("01")
        assert barrier.take(order[0], "0" if order is copies else "1") == []
        (event,) = barrier.take(order[1], "1" if order is copies else "0")
        assert judged(event).state == "ended"
        assert event.calls["verify"].total == 6


def test_a_recording_that_lost_faces_has_failed_whatever_its_models_did():
    copies = [replace(ENDED, lanes=tuple("012"), event_id=1, lost=lost) for lost in (0, 2, 1)]
    copies[0] = copies[0].with_account({"verify": Calls(5, 0)})
    barrier = Barrier("012")
    (event,) = [event for worker, copy in zip("012", copies, strict=True) for event in barrier.take(copy, worker)]
    verdict = judged(event)
    assert (verdict.state, verdict.reason) == ("failed", "worker_died")
    assert verdict.detail == "3 of its faces were lost with a worker that died"
    assert judged(replace(ENDED, lost=1)).detail.startswith("1 of its faces was lost")
    assert judged(ENDED) == ENDED


def test_what_a_worker_counts_adds_no_losses():
    assert replace(ENDED, lost=2).with_account({"verify": Calls(1, 0)}).lost == 2
