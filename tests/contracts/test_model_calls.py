from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.contracts.model_calls import HOPELESS_CALLS, ModelCalls, judged, merged
from engine.contracts.orders import Warned
from engine.contracts.streams import Calls, StreamChanged
from engine.delivery.barrier import Barrier
from engine.errors import ModelError
from engine.runtime.channel import Channel
from engine.runtime.worker import WorkerContext
from engine.workers.links import link_pair
from tests.carried import carried

ERROR = ModelError("the model grey.onnx cannot be run: out of memory")
ENDED = StreamChanged("cam", "ended", "end_of_file")


@pytest.fixture
def supervisor() -> Iterator[tuple[Channel, ModelCalls, WorkerContext]]:
    ours, theirs = link_pair()
    context = WorkerContext("enhance-1", theirs)
    yield ours, ModelCalls(context.telemetry.counts, context.control.send), context
    ours.close()
    theirs.close()


def test_a_failure_is_counted_and_the_first_one_said(supervisor):
    channel, calls, context = supervisor
    for _ in range(3):
        calls.failed("cam", "super_resolve", ERROR)
    calls.failed("cam", "verify", ValueError("no"))
    assert context.telemetry.counts.now().flat() == {"errors.super_resolve": 3, "errors.verify": 1, "errored.cam": 4}
    said = [channel.receive() for _ in range(2)]
    assert said[0] == Warned("cam", f"super resolve failed: {ERROR}")
    assert said[1].detail.startswith("verify failed: ValueError: no")
    assert not channel.has_message()


@pytest.mark.parametrize(("worked", "failed", "state"), [(0, 3, "failed"), (1, 3, "ended"), (3, 0, "ended"), (0, 0, "ended")])
def test_a_stream_has_failed_only_where_no_call_worked(supervisor, worked, failed, state):
    _, calls, _ = supervisor
    for _ in range(failed):
        calls.failed("cam", "detect", ERROR)
    for _ in range(worked):
        calls.worked("cam", "detect")
    calls.worked("cam", "track")
    verdict = judged(calls.close(ENDED))
    assert verdict.state == state
    if state == "failed":
        assert (verdict.reason, verdict.detail) == ("model", f"detect failed: {ERROR} (none of 3 calls worked)")
    assert judged(calls.close(ENDED)) == ENDED, "it is forgotten"


def test_what_has_failed_already_keeps_its_reason(supervisor):
    _, calls, _ = supervisor
    calls.failed("cam", "detect", ERROR)
    cut = StreamChanged("cam", "failed", "truncated", "it breaks off")
    assert judged(calls.close(cut)).reason == "truncated"


def test_a_stream_becomes_hopeless_only_from_its_start(supervisor):
    _, calls, _ = supervisor
    for number in range(HOPELESS_CALLS):
        assert not calls.hopeless("cam", "detect"), number
        calls.failed("cam", "detect", ERROR)
    assert calls.hopeless("cam", "detect") == f"detect failed: {ERROR} (none of {HOPELESS_CALLS} calls worked)"
    calls.worked("other", "detect")
    for _ in range(2 * HOPELESS_CALLS):
        calls.failed("other", "detect", ERROR)
    assert not calls.hopeless("other", "detect")


def test_the_calls_of_all_workers_count_together():
    """One of two workers had a single face, on which the model failed: the other's worked."""
    copies = [ENDED, ENDED]
    copies[0] = StreamChanged("cam", "ended", event_id=1, lanes=("0", "1"), calls={"verify": Calls(1, 1, "verify failed: no")})
    copies[1] = StreamChanged("cam", "ended", event_id=1, lanes=("0", "1"), calls={"verify": Calls(5, 0)})
    assert all(carried(copy) == copy for copy in copies)
    assert merged(copies).calls == {"verify": Calls(6, 1, "verify failed: no")}
    for order in (copies, copies[::-1]):
        barrier = Barrier("01")
        assert barrier.take(order[0], "0" if order is copies else "1") == []
        (event,) = barrier.take(order[1], "1" if order is copies else "0")
        assert judged(event).state == "ended"
        assert event.calls["verify"].total == 6


def test_a_recording_that_lost_faces_has_failed_whatever_its_models_did():
    copies = [replace(ENDED, calls={"verify": Calls(5, 0)}), replace(ENDED, lost=2), replace(ENDED, lost=1)]
    verdict = judged(merged(copies))
    assert (verdict.state, verdict.reason) == ("failed", "worker_died")
    assert verdict.detail == "3 of its faces were lost with a worker that died"
    assert judged(replace(ENDED, lost=1)).detail.startswith("1 of its faces was lost")
    assert judged(ENDED) == ENDED


def test_what_was_lost_before_a_worker_counts_once(supervisor):
    _, calls, _ = supervisor
    assert calls.close(replace(ENDED, lost=2)).lost == 2
