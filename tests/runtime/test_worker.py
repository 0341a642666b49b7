"""Real processes."""

from __future__ import annotations

import os
import signal

import pytest

from engine.contracts.links import Beat, Drain, Failed, Ready
from engine.errors import ModelError
from engine.runtime.channel import Channel, ChannelClosed, channel_pair
from engine.runtime.worker import Worker, WorkerContext, start_worker


def echo_body(context: WorkerContext, upstream: Channel) -> None:
    context.ready({"pid": str(os.getpid())})
    link = upstream.receive()
    context.telemetry.counters["links"] += 1
    upstream.send(link)


def failing_body(context: WorkerContext) -> None:
    raise ModelError("the model is not there: fetch it")


def crashing_body(context: WorkerContext) -> None:
    raise KeyError("surprise")


def hear_all(worker: Worker) -> list[object]:
    heard = []
    try:
        while worker.control.has_message(20):
            heard.append(worker.control.receive())
    except ChannelClosed:
        return heard
    raise AssertionError("the worker neither spoke nor ended")


def test_a_worker_says_ready_works_and_says_that_it_stops():
    ours, theirs = channel_pair()
    worker = start_worker("echo", echo_body, theirs)
    theirs.close()
    ours.send(Drain("drained"))
    assert ours.receive() == Drain("drained")
    ready, last = hear_all(worker)
    assert ready == Ready("echo", {"pid": str(worker.process.pid)})
    assert isinstance(last, Beat)
    assert last.finished
    assert last.counters == {"links": 1}
    worker.process.join(10)
    assert worker.process.exitcode == 0
    ours.close()
    worker.control.close()


@pytest.mark.parametrize(
    ("body", "message"),
    [(failing_body, "the model is not there: fetch it"), (crashing_body, "the worker bad failed: KeyError: 'surprise'")],
)
def test_an_error_is_one_sentence_and_a_code(body, message):
    worker = start_worker("bad", body)
    (failed,) = hear_all(worker)
    assert isinstance(failed, Failed)
    assert failed.message.startswith(message)
    assert failed.exit_code == 1
    worker.process.join(10)
    assert worker.process.exitcode == 1
    worker.control.close()


def test_a_killed_worker_is_described_and_its_neighbour_notices():
    ours, theirs = channel_pair()
    worker = start_worker("victim", echo_body, theirs)
    theirs.close()
    assert isinstance(worker.control.receive(), Ready)
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.join(10)
    assert worker.describe_end() == "was killed by signal SIGKILL"
    with pytest.raises(ChannelClosed):
        ours.receive()
    ours.close()
    worker.control.close()
