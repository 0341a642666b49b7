"""What publish does when an enhance worker is replaced, and while a reader takes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from engine.config import OutputConfig
from engine.contracts.counts import Counts
from engine.contracts.orders import CountedBefore, Settled
from engine.contracts.streams import Checkpoint, StreamChanged
from engine.delivery.barrier import Barrier
from engine.delivery.record import Record
from engine.runtime.protocol import Drain
from engine.workers.links import link_pair, outgoing
from tests.publish.samples import face, track
from tests.workers.publish_bench import Bench, blocked_bench, said, stats


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.supervisor.close()


def test_what_a_dead_worker_had_sent_comes_before_its_successors(bench: Bench):
    for number in range(3):
        bench.enhance.send(said(number))
    bench.enhance.close()
    second = bench.replace()
    second.send(said(10))
    second.close()
    third = bench.replace()
    third.send(said(20))
    bench.read()
    assert bench.heard.tracks == [0, 1, 2, 10, 20]
    third.send(Drain())
    bench.read()
    assert bench.worker.is_done
    assert bench.worker.worst == Drain()


def test_a_successor_of_one_that_is_gone_is_read_at_once(bench: Bench):
    bench.enhance.close()
    bench.read()
    assert bench.worker.inbox.awaits("enhance-1")
    bench.replace().send(said(10))
    bench.read()
    assert bench.heard.tracks == [10]


def test_what_comes_while_push_is_blocked_follows_in_its_order():
    def news(bench: Bench) -> None:
        for frames in (1, 2):
            bench.supervisor.send(stats(frames))
        bench.supervisor.send(CountedBefore(Counts({"faces": 7})))
        bench.supervisor.send(stats(3))

    bench, blocked = blocked_bench(news)
    bench.enhance.send(said(1))
    bench.enhance.send(StreamChanged("door", "failed", "network", "it is gone", event_id=1, lanes=("enhance-1",)))
    bench.enhance.send(Drain())
    bench.worker.run()
    assert blocked.sent == ["track 1", "stats 1", "stats 2", "stats 3", "door failed", "end", "seen off"]
    assert bench.worker._counted_before.run == {"faces": 7}
    bench.supervisor.close()


def test_while_readers_are_seen_off_the_counts_of_others_are_not_told_as_its_own():
    """The supervisor adds up what living workers tell: a run that waited for a reader seemed to have read every frame twice."""
    bench, blocked = blocked_bench(lambda bench: bench.supervisor.send(CountedBefore(Counts({"frames": 7}))))
    counts = bench.worker.context.telemetry.counts
    counts.run["mine"] = 1
    told: list[Counts] = []
    blocked.while_seen_off = lambda: told.append(bench.worker.context.telemetry.beat().counts)
    bench.enhance.send(said(1))
    bench.enhance.send(Drain(counts=Counts({"faces": 3})))
    bench.worker.run()
    assert told[0].run.get("mine") == 1
    assert not {"frames", "faces"} & told[0].run.keys()
    last = bench.worker.context.telemetry.beat(finished=True).counts
    assert (last.run["mine"], last.run["frames"], last.run["faces"]) == (1, 7, 3)
    bench.supervisor.close()


def test_a_last_state_never_overtakes_what_waits_for_its_reader():
    """The run is stopped while a face waits: the states that a dead worker held back came first, between the two."""

    def news(bench: Bench) -> None:
        bench.supervisor.send(Drain("drained"))

    bench, blocked = blocked_bench(news)
    worker = bench.worker
    worker.delivery._barrier = Barrier(["enhance-1", "enhance-2"])
    dead, upstream = link_pair()
    assert worker.inbox.attach("enhance-2", upstream) is not None
    dead.close()
    bench.read()
    ended = StreamChanged("door", "ended", "end_of_file", event_id=1, lanes=("enhance-1", "enhance-2"))
    worker.delivery.pass_on(ended, "enhance-1")
    bench.enhance.send(said(1))
    bench.enhance.send(Drain("drained"))
    worker.run()
    assert blocked.sent == ["track 1", "door ended", "end", "seen off"]
    bench.supervisor.close()


def test_a_long_wait_needs_bounded_memory_and_loses_no_stream_change_and_no_count():
    """Of statistics the newest are left, each with the totals since the start; cameras that cannot be read fail meanwhile, and
    workers die."""
    held: list[int] = []

    def news(bench: Bench) -> None:
        for number in range(200):
            bench.supervisor.send(stats(number))
            bench.supervisor.send(CountedBefore(Counts({"faces": number})))
            if number % 50 == 0:
                bench.supervisor.send(StreamChanged(f"door{number}", "failed", "worker_died", "it cannot be read"))
            bench.worker._held.should_give_up()
        held.append(len(bench.worker._held._held))

    bench, blocked = blocked_bench(news)
    bench.enhance.send(said(1))
    bench.enhance.send(Drain())
    bench.worker.run()
    assert held == [60 + 1 + 4]
    assert [word for word in blocked.sent if "failed" in word] == [f"door{number} failed" for number in (0, 50, 100, 150)]
    kept = [f"stats {number}" for number in range(140, 200)]
    assert [word for word in blocked.sent if "failed" not in word] == ["track 1", *kept, "end", "seen off"]
    assert blocked.sent.index("door150 failed") == blocked.sent.index("stats 150") + 1, "in their order"
    assert bench.worker._counted_before.run == {"faces": 199}
    bench.supervisor.close()


def test_the_supervisor_hears_how_far_a_recording_has_been_said():
    """From there on it is read again where perceive dies; after its last word no more of it is said."""
    bench, blocked = blocked_bench(lambda bench: None)
    last = StreamChanged("clip", "ended", "end_of_file", event_id=2, lanes=("enhance-1",))
    for event in (Checkpoint("clip", 5, 2, event_id=1, lanes=("enhance-1",)), last, replace(last, event_id=3)):
        bench.enhance.send(event)
    bench.read()
    told = []
    while bench.supervisor.has_message():
        told.append(bench.supervisor.receive())
    assert [one for one in told if isinstance(one, Settled)] == [Settled("clip", 5), Settled("clip")]
    assert blocked.sent == ["clip ended"]
    bench.supervisor.close()


@pytest.mark.parametrize("said_before", [False, True])
def test_a_recording_that_is_given_up_has_one_last_state_and_nothing_after_it(said_before: bool):
    """The supervisor's came beside what the enhance workers still had of it."""
    bench, blocked = blocked_bench(lambda bench: None)
    last = StreamChanged("clip", "ended", "end_of_file", event_id=2, lanes=("enhance-1",))
    given_up = StreamChanged("clip", "failed", "worker_died", "it died of it")
    if said_before:
        bench.enhance.send(last)
        bench.read()
    bench.worker.obey(given_up)
    bench.enhance.send(outgoing(*face("clip", 1, 7)))
    bench.enhance.send(outgoing(*track("clip", 1)))
    bench.enhance.send(last)
    bench.read()
    assert blocked.sent == ["clip ended" if said_before else "clip failed"]
    for _ in range(2):  # a camera that cannot be started may be tried again
        bench.worker.obey(replace(given_up, stream="door"))
    assert blocked.sent[1:] == ["door failed"] * 2
    bench.supervisor.close()


def test_without_a_camera_the_supervisor_hears_that_all_was_said_and_not_how_far_it_is():
    bench, blocked = blocked_bench(lambda bench: None)
    bench.worker.delivery._record = Record(OutputConfig(), {})
    bench.enhance.send(Checkpoint("clip", 5, 2, event_id=1, lanes=("enhance-1",)))
    bench.enhance.send(StreamChanged("clip", "ended", "end_of_file", event_id=2, lanes=("enhance-1",)))
    bench.read()
    told = []
    while bench.supervisor.has_message():
        told.append(bench.supervisor.receive())
    assert blocked.sent == ["clip ended"]
    assert [one for one in told if isinstance(one, Settled)] == [Settled("clip")]
    bench.supervisor.close()


def test_a_camera_is_said_to_its_end_when_all_that_enhance_its_faces_have_said_so():
    """From then on another node may have it: what came before has been sent, and nothing comes behind."""
    bench, blocked = blocked_bench(lambda bench: None)
    bench.worker.delivery._barrier = Barrier(("enhance-1", "enhance-2"))
    last = StreamChanged("door", "ended", "drained", event_id=2, lanes=("enhance-1", "enhance-2"))

    def settled() -> list[Settled]:
        told = []
        while bench.supervisor.has_message():
            told.append(bench.supervisor.receive())
        return [one for one in told if isinstance(one, Settled)]

    bench.worker.delivery.pass_on(last, "enhance-2")
    bench.enhance.send(outgoing(*track("door", 1)))
    bench.read()
    assert settled() == []
    bench.enhance.send(last)
    bench.read()
    assert blocked.sent == ["track 1", "door ended"]
    assert settled() == [Settled("door")]
    bench.supervisor.close()
