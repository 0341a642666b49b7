"""The subscriber in an event loop: the same messages, while the loop goes on."""

import asyncio

import pytest

from engine.client import End, Face, Gap, Subscriber
from engine.errors import FatalError
from tests.client.wire import subscribed
from tests.patience import PATIENCE_SECONDS


async def collected(subscriber, on_item=lambda item: None):
    found = []
    async for item in subscriber:
        found.append((item.first_seq, item.last_seq) if isinstance(item, Gap) else item.message)
        on_item(item)
    return [one.seq if isinstance(one, Face) else type(one).__name__ if isinstance(one, End) else one for one in found]


def test_the_same_messages_in_the_same_order(wire):
    with wire.subscriber() as subscriber:
        for seq in (2, 3):
            wire.face(seq)
        wire.end(**{"face/cam1": 3})
        assert asyncio.run(collected(subscriber)) == [(0, 1), 2, 3, "End"]


def test_the_loop_goes_on_while_nothing_comes(wire):
    """Each message is sent by the loop itself, when the subscriber waits for it."""

    async def converse():
        waiting = asyncio.ensure_future(collected(subscriber, lambda item: came.set()))
        for seq in range(3):
            came.clear()
            wire.face(seq)
            await asyncio.wait_for(came.wait(), PATIENCE_SECONDS)
        wire.end(**{"face/cam1": 2})
        return await asyncio.wait_for(waiting, PATIENCE_SECONDS)

    with wire.subscriber(timeout_seconds=None) as subscriber:
        came = asyncio.Event()
        assert asyncio.run(converse()) == [0, 1, 2, "End"]


def test_two_subscribers_share_a_loop(opened):
    async def both(one, two):
        return await asyncio.gather(collected(one), collected(two))

    with subscribed(opened) as (wire, one), subscribed(opened) as (other, two):
        wire.face(0)
        other.face(0)
        other.end(**{"face/cam1": 0})
        wire.end(**{"face/cam1": 0})
        assert asyncio.run(both(one, two)) == [[0, "End"], [0, "End"]]


def test_silence_is_an_error(wire):
    with wire.subscriber(timeout_seconds=0.05) as subscriber, pytest.raises(TimeoutError, match="no message from tcp://"):
        asyncio.run(collected(subscriber))


def test_who_is_cancelled_leaves_nothing_in_the_loop_and_may_go_on(wire):
    async def interrupted():
        waiting = asyncio.ensure_future(collected(subscriber))
        while not asyncio.get_running_loop()._selector.get_map().keys() - before:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert asyncio.get_running_loop()._selector.get_map().keys() == before
        wire.face(0)
        wire.end(**{"face/cam1": 0})
        return await collected(subscriber)

    async def start():
        nonlocal before
        before = set(asyncio.get_running_loop()._selector.get_map().keys())
        return await interrupted()

    before: set = set()
    with wire.subscriber() as subscriber:
        assert asyncio.run(start()) == [0, "End"]


def test_another_version_of_the_wire_stops_with_a_sentence(wire):
    with wire.subscriber() as subscriber:
        wire.socket.send_multipart([b"v2/face/", b"\x81\xa6schema\xacfacestream/9"])
        with pytest.raises(FatalError, match="facestream/9"):
            asyncio.run(collected(subscriber))


def test_async_with_disconnects_too(tmp_path):
    """It used to be a TypeError."""

    async def opened():
        async with Subscriber(f"ipc://{tmp_path}/faces") as subscriber:
            assert not subscriber._socket.closed
        return subscriber

    assert asyncio.run(opened())._socket.closed
