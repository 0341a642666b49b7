"""Which packets are kept for a moment that may be asked for."""

from __future__ import annotations

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decode.kept_packets import KEPT_SECONDS, KeptPackets
from engine.decode.packet_queue import Arrival


def arrival(number: int, key: bool, size: int = 100) -> Arrival:
    packet = av.Packet(size)
    packet.pts = number * 3600
    return Arrival(packet, key, size, 0, number / 25)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=200))
def test_what_is_kept_can_be_decoded_and_is_bounded(coming):
    kept = KeptPackets(1 / 90_000, max_bytes=2000)
    for number, (key, size) in enumerate(coming):
        kept.add(arrival(number, key, size))
        assert kept.end == number + 1, "numbers count what came"
        assert kept.size_bytes == sum(kept[place].size_bytes for place in range(kept.first, kept.end)) <= 2000
        if kept.first < kept.end:
            assert kept[kept.first].key
            assert kept.first <= kept.key_before(number) <= number
            assert kept.stamp(kept.end - 1).pts_seconds == pytest.approx(number / 25)


def test_a_moment_just_before_a_key_frame_is_still_there():
    kept = KeptPackets(1 / 90_000)
    for number in range(200):
        kept.add(arrival(number, number % 25 == 0))
        if number > 100:
            oldest, newest = kept.stamp(kept.first), kept.stamp(kept.end - 1)
            assert KEPT_SECONDS <= newest.arrived_seconds - oldest.arrived_seconds <= KEPT_SECONDS + 2.0


def test_what_does_not_continue_is_forgotten():
    kept = KeptPackets(1 / 90_000)
    kept.add(arrival(0, True))
    kept.clear()
    assert kept.add(arrival(1, False)) is None
    assert kept.add(arrival(2, True)) is not None
    assert (kept.first, kept.end, kept.size_bytes) == (2, 3, 100)
