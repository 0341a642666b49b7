"""Readers of a publisher in another process: fresh though slow, unharmed by their neighbours, and going on after its death."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import pairwise

import pytest
import zmq

from engine.client import Gap, Received, Subscriber
from tests.patience import PATIENCE_SECONDS
from tests.processes import bound
from tests.publish.samples import environment
from tests.publish.sender import sending
from tests.servers.ports import free_port

pytestmark = pytest.mark.e2e
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "ipc"])


def endpoint_of(transport, folder):
    return "tcp://127.0.0.1:*" if transport == "tcp" else f"ipc://{folder}/faces"


def age_seconds(item: Received, at_ns: int | None = None) -> float:
    return ((at_ns or time.time_ns()) - item.message.sent_ns) / 1e9


def let_send(sender, count):
    """Wait until the publisher has sent ``count`` more; it blocks for nobody."""
    target = sender.status()["published"] + count
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sender.status()["published"] < target:
        assert time.monotonic() < deadline


@pytest.mark.alone
@TRANSPORTS
@pytest.mark.parametrize("size_bytes", [6_000, 30_000])
def test_a_reader_that_stalled_is_handed_nothing_old(transport, size_bytes, tmp_path):
    with (
        sending(endpoint=endpoint_of(transport, tmp_path), rate=500, bytes=size_bytes) as sender,
        Subscriber(sender.endpoint, timeout_seconds=PATIENCE_SECONDS) as subscriber,
    ):
        items = iter(subscriber)
        next(items)
        let_send(sender, 750)
        ages, stale = [], 0
        while len(ages) < 100:
            asked_ns, item = time.time_ns(), next(items)
            if isinstance(item, Gap):
                stale += item.stale
            else:
                ages.append(age_seconds(item, asked_ns))
    assert max(ages) < 1.0  # when it was asked for: a busy machine may pause before it can be looked at
    assert stale == subscriber.counters["stale"] > 0
    assert ages[-1] < 0.5


@pytest.mark.alone
@TRANSPORTS
def test_every_message_at_a_slow_reader_is_handed_out_or_told_of(transport, tmp_path):
    with (
        sending(endpoint=endpoint_of(transport, tmp_path), rate=500) as sender,
        Subscriber(sender.endpoint, timeout_seconds=PATIENCE_SECONDS) as subscriber,
    ):
        ranges, ages, items = [], [], iter(subscriber)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (len(ages) < 100 or subscriber.counters["missed"] == 0) and time.monotonic() < deadline:
            asked_ns, item = time.time_ns(), next(items)
            if isinstance(item, Gap):
                ranges.append((item.first_seq, item.last_seq))
            else:
                ranges.append((item.message.seq, item.message.seq))
                ages.append(age_seconds(item, asked_ns))
                time.sleep(0.02)  # the slowness that is tested
    assert all(before[1] + 1 == after[0] for before, after in pairwise(ranges))
    assert subscriber.counters["missed"] > 0
    assert max(ages) < 1.0


def test_a_reader_with_replay_gets_what_it_missed_while_it_stalled(tmp_path):
    with (
        sending(rate=500, replay="tcp://127.0.0.1:*") as sender,
        Subscriber(
            sender.endpoint, replay=sender.facts["replay"], from_start=False, timeout_seconds=PATIENCE_SECONDS
        ) as subscriber,
    ):
        items = iter(subscriber)
        first = next(items).message.seq
        let_send(sender, 600)
        got = [next(items) for _ in range(600)]
    assert [item.message.seq for item in got] == list(range(first + 1, first + 601))
    assert subscriber.counters["replayed"] > 0


@contextmanager
def neighbour(code, *arguments):
    """Run ``code`` in a process of its own; yield once it has said that it is there."""
    command = bound([sys.executable, "-c", code, *arguments])
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as process:
        try:
            assert process.stdout.readline()
            yield
        finally:
            process.kill()


STALLED = """
import sys, time, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt(zmq.SUBSCRIBE, b"")
socket.connect(sys.argv[1])
socket.poll()
print("there", flush=True)
time.sleep(600)
"""
GARBAGE = """
import itertools, sys
from tests.publish import bad_peers
host, _, port = sys.argv[1].removeprefix("tcp://").rpartition(":")
print("there", flush=True)
for misbehave in itertools.cycle([bad_peers.random_bytes, bad_peers.http_request, bad_peers.huge_subscription]):
    misbehave((host, int(port)), 0.2)
"""


@pytest.mark.alone
@pytest.mark.parametrize("code", [STALLED, GARBAGE], ids=["stalled", "garbage"])
def test_a_bad_neighbour_costs_a_healthy_reader_nothing(code):
    with (
        # Long queues: a busy machine that pauses the reader is not what is looked at here.
        sending(rate=200, send_hwm=2000) as sender,
        Subscriber(sender.endpoint, timeout_seconds=PATIENCE_SECONDS, max_age_seconds=None) as subscriber,
        neighbour(code, sender.endpoint),
    ):
        before = sender.status()["rss_kb"]
        items = iter(subscriber)
        first = next(items)
        while isinstance(first, Gap) or age_seconds(first) > 0.1:
            first = next(items)  # what waited while the neighbour was started
        got = [next(items) for _ in range(400)]
        assert sender.status()["rss_kb"] - before < 20 * 1024
    assert [item.message.seq for item in got] == list(range(first.message.seq + 1, first.message.seq + 401))


@TRANSPORTS
def test_a_killed_publisher_that_comes_back_is_a_new_run(transport, tmp_path):
    endpoint = f"tcp://127.0.0.1:{free_port('127.0.0.1')}" if transport == "tcp" else endpoint_of(transport, tmp_path)
    with sending(endpoint=endpoint, run_id="first") as sender:
        subscriber = Subscriber(endpoint, timeout_seconds=PATIENCE_SECONDS, max_age_seconds=None)
        items = iter(subscriber)
        seen = [next(items) for _ in range(20)]
        sender.process.kill()
        sender.process.wait()
    with subscriber, sending(endpoint=endpoint, run_id="second"):
        while _run(seen[-1]) != "second":
            seen.append(next(items))
        seen += [next(items) for _ in range(20)]
    runs = [_run(item) for item in seen if isinstance(item, Received)]
    assert runs == sorted(runs)
    numbers = [item.message.seq for item in seen if _run(item) == "second"]
    assert numbers == list(range(numbers[0], numbers[0] + 21))
    assert sum(len(item) for item in seen if isinstance(item, Gap)) == numbers[0] == subscriber.counters["missed"]


def _run(item):
    return item.message.run_id if isinstance(item, Received) else None


def test_a_subscriber_may_be_there_before_its_publisher(tmp_path):
    endpoint = f"ipc://{tmp_path}/faces"
    with Subscriber(endpoint, timeout_seconds=PATIENCE_SECONDS) as subscriber, sending(endpoint=endpoint):
        assert isinstance(next(iter(subscriber)), Received)


def test_readers_share_the_context_of_their_process():
    with Subscriber("tcp://127.0.0.1:5556") as one, Subscriber("tcp://127.0.0.1:5557") as other:
        assert one._socket.context is other._socket.context is zmq.Context.instance()
