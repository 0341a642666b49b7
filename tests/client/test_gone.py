"""A publisher that was there and does not come back is not waited for for ever."""

import asyncio
import contextlib

import pytest
import zmq

from engine.client import Subscriber
from engine.errors import PublisherGoneError
from tests.client.wire import Wire, subscribed
from tests.patience import PATIENCE_SECONDS
from tests.servers.ports import free_port


@contextlib.contextmanager
def left_alone(opened, **options):
    """Yield a subscriber of a publisher that was there, and has gone without a last word; and where that was."""
    with subscribed(opened, **options) as (wire, subscriber):
        items = iter(subscriber)
        wire.face(0)
        assert next(items).message.seq == 0
        wire.socket.close(linger=0)
        yield subscriber, wire.endpoint


def test_a_publisher_that_is_gone_for_long_ends_the_iteration(opened):
    with (
        left_alone(opened, gone_seconds=0.3, timeout_seconds=None) as (subscriber, endpoint),
        pytest.raises(PublisherGoneError, match=f"^the publisher at {endpoint} has been gone for 0.3 s and has not said"),
    ):
        list(subscriber)


def test_an_event_loop_learns_it_as_well(opened):
    async def read(subscriber):
        return [item async for item in subscriber]

    with left_alone(opened, gone_seconds=0.3, timeout_seconds=None) as (subscriber, _), pytest.raises(PublisherGoneError):
        asyncio.run(read(subscriber))


def test_a_publisher_that_comes_back_in_time_is_not_gone(opened):
    with left_alone(opened, gone_seconds=PATIENCE_SECONDS) as (subscriber, endpoint):
        assert not subscriber._connection.wait(0.5)  # it has seen that nobody is there
        second = Wire(opened, zmq.XPUB, endpoint)
        for _ in range(3):
            second.socket.recv()
        assert not subscriber._connection.wait(0.1)
        assert subscriber._connection._gone_at is None
        second.end("run2")
        assert [item.message.run_id for item in subscriber] == ["run2"]
        second.close()


def test_a_publisher_that_has_said_that_its_run_is_over_may_go(opened):
    with subscribed(opened, gone_seconds=0.1) as (wire, subscriber):
        for _ in range(2):  # as is done for a reader that was behind
            wire.end()
        assert len(list(subscriber)) == 1
        wire.socket.close(linger=1_000)
        subscriber._timeout_seconds = 0.5
        with pytest.raises(TimeoutError):
            list(subscriber)


def test_an_end_that_comes_again_is_not_that_of_the_next_run(opened):
    with subscribed(opened) as (wire, subscriber):
        for run_id in ("run1", "run1", "run2"):
            wire.end(run_id)
        assert [[item.message.run_id for item in subscriber] for _ in range(2)] == [["run1"], ["run2"]]


def test_one_that_never_came_is_waited_for():
    nowhere = f"tcp://127.0.0.1:{free_port('127.0.0.1')}"
    with Subscriber(nowhere, gone_seconds=0.1, timeout_seconds=0.5) as subscriber, pytest.raises(TimeoutError):
        next(iter(subscriber))


@pytest.mark.parametrize(
    ("options", "seconds"), [({}, 30), ({"follow": True}, None), ({"kinds": ("face",)}, None), ({"gone_seconds": None}, None)]
)
def test_who_reads_on_after_an_end_waits_for_ever_unless_told_otherwise(options, seconds):
    with Subscriber("tcp://127.0.0.1:5556", **options) as subscriber:
        assert subscriber._connection._gone_seconds == seconds
