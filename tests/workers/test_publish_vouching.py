"""When the end of a recording counts as such in the output directory."""

from __future__ import annotations

import pytest

from engine.config import OutputConfig
from engine.contracts.orders import Begin
from engine.contracts.streams import StreamChanged
from engine.delivery.record import Record
from engine.runtime.protocol import Drain
from engine.runtime.worker import WorkerContext
from engine.workers.links import link_pair
from engine.workers.policy import policy_of
from engine.workers.publish import PublishWorker
from tests.workers.publish_bench import Blocked


class Sink:
    """In the place of the output directory: whether the end of a recording still counted when it was written."""

    def __init__(self) -> None:
        self.counters: dict[str, int] = {}
        self.vouches, self.ended = True, dict[str, bool]()

    def write(self, message: object, payloads: object) -> None:
        if isinstance(message, StreamChanged) and message.is_last:
            self.ended[message.stream] = self.vouches

    def stop_vouching(self) -> None:
        self.vouches = False


@pytest.mark.parametrize(
    ("last_words", "counts"),
    [
        (["completed"], True),
        (["failed"], False),
        (["drained", "failed"], False),
        (["failed", "drained"], False),
        (["completed", "failed"], False),
        ([None], False),  # it dies, and has no successor
    ],
)
def test_the_end_of_a_recording_counts_only_where_every_worker_had_all_of_it(last_words: list[str | None], counts: bool):
    """Perceive died between two enhance workers: the end of the recording had come through one, the last track's to none."""
    control, own = link_pair()
    lanes = {f"enhance-{number}": link_pair() for number in range(len(last_words) + 1)}
    ends = {name: pair[1] for name, pair in lanes.items()}
    blocked, sink = Blocked(lambda: None), Sink()
    worker = PublishWorker(
        WorkerContext("publish", own),
        {name: pair[0] for name, pair in lanes.items()},
        blocked,  # type: ignore[arg-type]
        Record(OutputConfig(), {}),
        policy_of(has_camera=False),
    )
    worker._begin, worker.delivery.sink = Begin({}), sink  # type: ignore[assignment]
    ends.pop("enhance-0").send(StreamChanged("clip", "ended", "end_of_file", event_id=2, lanes=tuple(lanes)))
    for end, outcome in zip(ends.values(), last_words, strict=True):
        if outcome is None:
            end.close()
        else:
            end.send(Drain(outcome, "the worker that finds the faces died"))  # type: ignore[arg-type]
    while len(worker.inbox.senders) > 1:
        worker.turn(0.01)
    assert blocked.sent == ["clip ended"]
    assert sink.ended == {"clip": counts}
    control.close()
