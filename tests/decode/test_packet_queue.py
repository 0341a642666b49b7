from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import av
import pytest

from engine.decode import packet_queue
from engine.decode.packet_queue import Arrival, PacketQueue


def arrival(name: int, key: bool = False, size_bytes: int = 100) -> Arrival:
    packet = av.Packet(8)
    packet.pts = name
    return Arrival(packet, key, size_bytes, name, time.monotonic())


def drain(queue: PacketQueue) -> list[int]:
    names = []
    while (one := queue.get(0.0)) is not None:
        names.append(one.captured_ns)
    return names


def test_packets_come_out_in_their_order_and_the_end_is_known():
    queue = PacketQueue()
    for name in range(5):
        queue.put(arrival(name, key=name == 0))
    queue.end()
    assert not queue.ended
    assert drain(queue) == [0, 1, 2, 3, 4]
    assert queue.ended
    assert queue.take_dropped() == (0, False)


def test_a_waiting_reader_is_woken_by_a_packet_and_by_the_end():
    queue = PacketQueue()
    for act in (lambda: queue.put(arrival(1)), queue.end):
        thread = threading.Timer(0.02, act)
        thread.start()
        start = time.monotonic()
        queue.get(60.0)
        assert time.monotonic() - start < 30.0
        thread.join()
    assert queue.ended


@pytest.mark.parametrize(
    ("ages", "keys", "left", "dropped"),
    [
        ([0.9, 0.8, 0.7, 0.1], {0, 2}, [2, 3], 2),  # late, and a later key frame is there
        ([0.9, 0.8, 0.7, 0.1], {0}, [0, 1, 2, 3], 0),  # late, catching up costs less than waiting for a key frame
        ([0.9, 0.8, 0.7, 0.1], set(), [0, 1, 2, 3], 0),
        ([2.5, 2.4, 2.3, 0.1], set(), [], 4),  # too late
        ([2.5, 2.4, 2.3, 0.1], {3}, [3], 3),
        ([0.4, 0.3, 0.2, 0.1], {0, 2}, [0, 1, 2, 3], 0),  # on time
    ],
)
def test_late_packets_are_left_out_up_to_the_newest_key_frame(monkeypatch, ages, keys, left, dropped):
    now = time.monotonic()
    monkeypatch.setattr(packet_queue, "time", SimpleNamespace(monotonic=lambda: now))
    queue = PacketQueue()
    for name, age in enumerate(ages):
        queue.put(replace(arrival(name, name in keys), arrived_monotonic=now - age))
    assert drain(queue) == left
    assert queue.take_dropped() == (dropped, dropped > 0)
    assert queue.take_dropped() == (0, False)


@pytest.mark.parametrize("key_every", [1, 50, 10**6])
def test_it_is_bounded_whatever_comes(key_every):
    queue = PacketQueue()
    for name in range(5 * packet_queue.MAX_PACKETS):
        queue.put(arrival(name, name % key_every == 0))
    left = drain(queue)
    assert len(left) <= packet_queue.MAX_PACKETS
    dropped, broken = queue.take_dropped()
    assert broken
    assert len(left) + dropped == 5 * packet_queue.MAX_PACKETS


def test_its_bytes_are_bounded_too():
    queue = PacketQueue()
    for name in range(40):
        queue.put(arrival(name, key=name == 0, size_bytes=1 << 20))
    assert len(drain(queue)) <= packet_queue.MAX_BYTES >> 20
