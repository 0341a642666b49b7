from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from engine.contracts.counts import Counts
from engine.runtime import channel as channel_module
from engine.runtime.channel import ChannelClosed, channel_pair, wait_for_any
from engine.runtime.codec import Codec
from engine.runtime.frame_slots import SlotReleased
from engine.runtime.protocol import Drain

CODEC = Codec([Drain, SlotReleased])


def test_messages_arrive_typed_and_in_order():
    a, b = channel_pair(CODEC)
    sent = [SlotReleased(1, 2), Drain("failed", "why", Counts({"frames": 3}))]
    for link in sent:
        a.send(link)
    assert [b.receive(), b.receive()] == sent
    assert not b.has_message()
    a.close()
    b.close()


def test_a_closed_end_is_noticed_after_everything_that_was_sent():
    a, b = channel_pair(CODEC)
    a.send(Drain())
    a.close()
    assert wait_for_any([b], 0) == [b]
    assert b.receive() == Drain()
    assert b.has_message()
    with pytest.raises(ChannelClosed):
        b.receive()
    with pytest.raises(ChannelClosed):
        b.send(Drain())
    b.close()


def test_waiting_ends_with_the_time_out():
    a, b = channel_pair(CODEC)
    assert wait_for_any([a, b], 0.01) == []
    a.close()
    b.close()


def test_confirming_to_a_peer_that_has_left_loses_nothing_it_had_sent():
    a, b = channel_pair(CODEC)
    a.send(SlotReleased(1, 2))
    a.send(Drain("completed", "", Counts({"frames": 3})))
    b.confirm(Drain())  # not read by a, which leaves
    a.close()
    assert b.receive() == SlotReleased(1, 2)
    b.confirm(Drain())
    assert b.receive() == Drain("completed", "", Counts({"frames": 3}))
    with pytest.raises(ChannelClosed):
        b.receive()
    b.close()


LARGE = Drain("failed", "x" * 3_000_000, Counts({"frames": 3}))


def test_a_large_message_waits_for_its_reader_with_signs_of_life():
    a, b = channel_pair(CODEC)
    received, waits = [], []
    reader = threading.Thread(target=lambda: received.extend([b.receive(), b.receive()]))

    def waiting():
        waits.append(1)
        if len(waits) == 2:
            reader.start()

    a.send(LARGE, waiting)
    a.send(SlotReleased(1, 2), waiting)
    reader.join()
    assert received == [LARGE, SlotReleased(1, 2)]
    assert len(waits) >= 2
    a.close()
    b.close()


@pytest.mark.parametrize("leaving", ["reader", "sender"])
def test_a_large_message_ends_with_either_end(leaving):
    a, b = channel_pair(CODEC)
    with pytest.raises(ChannelClosed):
        a.send(LARGE, {"reader": b, "sender": a}[leaving].close)
    a.close()
    b.close()


def test_an_end_waits_for_room_behind_its_message_as_that_does(monkeypatch: pytest.MonkeyPatch):
    """It waited without end, and without a word, where the message had taken the last room."""
    monkeypatch.setattr(channel_module, "_WAITING_SECONDS", 0.0)
    (ours, theirs), (given, kept) = channel_pair(CODEC), channel_pair(CODEC)

    def take_the_last_room(*_: object) -> None:
        with suppress(BlockingIOError):
            while True:
                ours._socket.send(b"x", socket.MSG_DONTWAIT)

    monkeypatch.setattr(ours, "send", take_the_last_room)
    with pytest.raises(ChannelClosed):
        ours.send_channel(Drain(), given, theirs.close)
    for end in (ours, kept):
        end.close()
