"""Real processes."""

from __future__ import annotations

import multiprocessing as mp
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.runtime import channel as channel_module
from engine.runtime import worker as worker_module
from engine.runtime.channel import Channel, ChannelClosed, channel_pair
from engine.runtime.protocol import Attach, Beat, Drain, Ready
from engine.runtime.worker import DESCRIPTORS, BodyIn, Worker, WorkerContext, start_worker
from tests.patience import PATIENCE_SECONDS, until
from tests.processes import lives, open_files
from tests.runtime.worker_bodies import CODEC, echo_body, hear_all


def test_a_worker_says_ready_works_and_says_that_it_stops():
    ours, theirs = channel_pair(CODEC)
    worker = start_worker("echo", echo_body, theirs, codec=CODEC)
    theirs.close()
    ours.send(Drain("drained"))
    assert ours.receive() == Drain("drained")
    ready, last = hear_all(worker)
    assert ready == Ready("echo", {"pid": str(worker.process.pid)})
    assert isinstance(last, Beat)
    assert last.finished
    assert last.counts.run == {"links": 1}
    worker.process.join(PATIENCE_SECONDS)
    assert worker.process.exitcode == 0
    ours.close()
    worker.control.close()


def test_a_killed_worker_is_described_and_its_neighbour_notices():
    ours, theirs = channel_pair(CODEC)
    worker = start_worker("victim", echo_body, theirs, codec=CODEC)
    theirs.close()
    assert isinstance(worker.control.receive(), Ready)
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.join(PATIENCE_SECONDS)
    assert worker.describe_end() == "was killed by signal SIGKILL"
    with pytest.raises(ChannelClosed):
        ours.receive()
    ours.close()
    worker.control.close()


def reattached_body(context: WorkerContext) -> None:
    context.ready()
    assert context.control.has_message(PATIENCE_SECONDS)
    assert isinstance(context.control.receive(), Attach)
    channel = context.control.receive_channel()
    channel.send(Drain("drained", f"from {context.name}"))
    channel.close()


def test_a_running_worker_is_given_another_pipe():
    worker = start_worker("neighbour", reattached_body, codec=CODEC)
    assert isinstance(worker.control.receive(), Ready)
    ours, theirs = channel_pair(CODEC)
    worker.control.send_channel(Attach("upstream", "other"), theirs)
    assert ours.receive() == Drain("drained", "from neighbour")
    with pytest.raises(ChannelClosed):
        ours.receive()  # no end is left open in this process
    worker.process.join(PATIENCE_SECONDS)
    ours.close()
    worker.control.close()


def litter_body(context: WorkerContext, litter: str, lines: Channel) -> None:
    Path(litter).touch()
    context.clean_up_after_parent(Path(litter).unlink)
    lines.send(Ready(str(os.getpid())))
    while True:
        context.control.has_message(60)


def parent_body(context: WorkerContext, litter: str, lines: Channel, forked: Sequence[str]) -> None:
    mp.current_process()._config["daemon"] = False  # type: ignore[attr-defined]  # a worker of a worker, only here
    start_worker("child", litter_body, litter, lines, codec=CODEC, forked=forked)
    context.ready()
    while True:
        context.control.has_message(60)


@pytest.mark.parametrize("forked", [(), (__name__,)])
def test_a_child_of_a_killed_parent_cleans_up_and_ends(tmp_path, forked):
    litter = tmp_path / "socket"
    ours, theirs = channel_pair(CODEC)
    parent = start_worker("parent", parent_body, str(litter), theirs, forked, codec=CODEC)
    theirs.close()
    child = int(ours.receive().worker)
    assert litter.exists()
    os.kill(parent.process.pid, signal.SIGKILL)
    parent.process.join(PATIENCE_SECONDS)
    with pytest.raises(ChannelClosed):
        ours.receive()  # the child's end closes when it is gone
    assert not litter.exists()
    until(lambda: not lives(child), "its end: its files are closed a moment before")
    ours.close()
    parent.control.close()


def test_a_worker_outlives_the_thread_that_asked_for_it():
    ours, theirs = channel_pair(CODEC)
    started: queue.Queue[Worker] = queue.Queue()
    is_up = threading.Event()

    def ask() -> None:
        started.put(start_worker("echo", echo_body, theirs, codec=CODEC))
        is_up.wait(PATIENCE_SECONDS)

    asker = threading.Thread(target=ask)
    asker.start()
    worker = started.get(timeout=PATIENCE_SECONDS)
    theirs.close()
    assert isinstance(worker.control.receive(), Ready)
    is_up.set()
    asker.join()
    ours.send(Drain("drained"))
    assert ours.receive() == Drain("drained")
    worker.process.join(PATIENCE_SECONDS)
    assert worker.process.exitcode == 0
    ours.close()
    worker.control.close()


def slow_body(context: WorkerContext, gate: Channel) -> None:
    context.ready()
    told = context.alive_during(gate.receive)
    gate.send(told)
    with pytest.raises(TimeoutError, match="the disk"):
        context.alive_during(_time_out)


def _time_out() -> None:
    raise TimeoutError("the disk")


def test_a_worker_lives_while_it_does_something_long():
    ours, theirs = channel_pair(CODEC)
    worker = start_worker("slow", slow_body, theirs, codec=CODEC)
    theirs.close()
    assert isinstance(worker.control.receive(), Ready)
    assert isinstance(worker.control.receive(), Beat)  # nothing else makes it beat
    ours.send(Drain("drained"))
    assert ours.receive() == Drain("drained")
    assert hear_all(worker)[-1].finished
    worker.process.join(PATIENCE_SECONDS)
    assert worker.process.exitcode == 0
    ours.close()
    worker.control.close()


def test_a_beat_never_waits_for_a_supervisor_that_does_not_read():
    """Work goes on, and when there is room again the next beat says how things stand then."""
    ours, theirs = channel_pair(CODEC)
    context = WorkerContext("busy", theirs)
    context.telemetry.counters.update({f"frames.camera-{number}": 0 for number in range(200)})
    for frames in range(500):
        context.telemetry.counters["frames"] = frames
        context._last_beat = 0.0
        context.beat()
    sent = 0
    while ours.has_message():
        ours.receive()
        sent += 1
    assert 1 < sent < 500
    context.beat()
    newest = ours.receive()
    assert isinstance(newest, Beat)
    assert newest.counts.run["frames"] == 499
    ours.close()
    theirs.close()


def test_who_watches_waits_for_no_worker_that_is_deaf(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker_module, "_DEAF_SECONDS", 0.0)
    monkeypatch.setattr(channel_module, "_WAITING_SECONDS", 0.01)
    ours, theirs = channel_pair(CODEC)
    deaf = Worker("deaf", SimpleNamespace(kill=theirs.close), ours, None)  # type: ignore[arg-type]

    def tell_without_end() -> None:
        for _ in range(100_000):
            deaf.tell(Drain("drained"))

    with pytest.raises(ChannelClosed):
        tell_without_end()
    with pytest.raises(ChannelClosed):
        deaf.tell(Attach("upstream", "other"), channel_pair(CODEC)[0])
    ours.close()


def word_body(context: WorkerContext) -> None:
    context.ready({"word": os.environ.get("WORD", "")})


@pytest.mark.parametrize("forked", [(), (__name__,)])
def test_a_workers_environment_is_that_of_who_starts_it_now(forked: Sequence[str], monkeypatch: pytest.MonkeyPatch):
    for word in ("one", "two", ""):
        monkeypatch.setenv("WORD", word) if word else monkeypatch.delenv("WORD")
        worker = start_worker("word", BodyIn(__name__, "word_body"), codec=CODEC, forked=forked)
        ready, _ = hear_all(worker)
        assert ready == Ready("word", {"word": word})
        worker.process.join(PATIENCE_SECONDS)
        worker.close()


def kin_body(context: WorkerContext) -> None:
    context.ready({"parent": str(os.getppid()), "loaded": str(__name__ in sys.modules)})
    assert isinstance(context.control.receive(), Drain)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each loads for itself")
def test_many_of_a_kind_come_from_one_that_has_loaded_it_and_outlives_the_signal_that_stops_a_service():
    workers, parents = [start_worker("kin", kin_body, codec=CODEC, forked=[__name__])], set[int]()
    before = open_files()
    for number in range(3):
        workers.append(start_worker(f"kin-{number}", kin_body, codec=CODEC, forked=[__name__]))
        ready = workers[-1].control.receive()
        parents.add(int(ready.facts["parent"]))
        os.kill(min(parents), signal.SIGTERM)
    assert (open_files() - before).total() == 3 * DESCRIPTORS
    assert len(parents) == 1
    assert os.getpid() not in parents
    assert workers[0].control.receive().facts["parent"] in map(str, parents)
    os.kill(workers[0].process.pid, signal.SIGKILL)
    for worker in workers[1:]:
        worker.control.send(Drain())
    for worker in workers:
        worker.process.join(PATIENCE_SECONDS)
        worker.close()
    assert [worker.process.exitcode for worker in workers] == [-signal.SIGKILL, 0, 0, 0]
    assert workers[0].describe_end() == "was killed by signal SIGKILL"
