"""What is no reader at all, at the ports of a publisher in another process: it goes on, and a healthy reader sees no gap."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.client import Gap, Subscriber
from tests.patience import PATIENCE_SECONDS
from tests.publish import bad_peers
from tests.publish.sender import sending

# What a flood takes before it is seen depends on how often the guard gets to look.
pytestmark = pytest.mark.alone
RATE = 200
SECONDS = 0.5
ENOUGH = 50
"""Messages that a publisher sends meanwhile if it goes on: in one turn, or on a busy machine in a few."""
MOST_TURNS = 40
GROWTH_KB = 100 * 1024
"""A flood is looked for twenty times a second; unhindered it takes hundreds of megabytes a second."""


@pytest.fixture(scope="module")
def sender():
    # A long queue: a busy machine that pauses the reader is not what is looked at here.
    with sending(replay="tcp://127.0.0.1:*", replay_bytes=4 << 20, rate=RATE, send_hwm=2000) as started:
        yield started


def address_of(endpoint):
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return host, int(port)


def read(subscriber, count):
    """Return gaps and messages of the next ``count`` messages."""
    gaps, numbers = [], []
    for item in subscriber:
        if isinstance(item, Gap):
            gaps.append(item)
        else:
            numbers.append(item.message.seq)
        if len(numbers) == count:
            return gaps, numbers
    raise AssertionError("the run is over")


def endure(sender, endpoint, misbehave):
    """Misbehave beside a healthy reader, who reads all that was sent meanwhile, and look at the publisher's memory."""
    # The reader has to hold what comes while this thread misbehaves.
    with Subscriber(sender.endpoint, timeout_seconds=PATIENCE_SECONDS, max_age_seconds=None) as healthy:
        _, [first] = read(healthy, 1)
        before = sender.status()
        for _ in range(MOST_TURNS):
            misbehave(address_of(endpoint), SECONDS)
            after = sender.status()
            sent = after["published"] - before["published"]
            if sent >= ENOUGH:
                break
        gaps, numbers = read(healthy, sent)
    assert sent >= ENOUGH
    assert gaps == []
    assert numbers[0] == first + 1
    assert after["rss_kb"] - before["rss_kb"] < GROWTH_KB, Counter(after)
    return before, after


@pytest.mark.parametrize("misbehave", bad_peers.AT_THE_PUBLISHER, ids=lambda function: function.__name__)
def test_at_the_publisher(sender, misbehave):
    endure(sender, sender.endpoint, misbehave)


@pytest.mark.parametrize("misbehave", bad_peers.AT_THE_REPLAY_SERVICE, ids=lambda function: function.__name__)
def test_at_the_replay_service(sender, misbehave):
    before, after = endure(sender, sender.facts["replay"], misbehave)
    assert after["replay.messages"] - before["replay.messages"] < 20_000


def test_a_flood_is_cut(sender):
    before = sender.status()["floods"]
    bad_peers.endless_message(sender.address, SECONDS)
    assert sender.status()["floods"] > before


def test_a_reader_of_a_thousand_streams_is_no_flood_and_gets_them_all():
    streams = [*(f"camera{number}" for number in range(1000)), "zz"]
    with (
        sending(rate=RATE, stream="zz") as sender,
        Subscriber(sender.endpoint, streams=streams, timeout_seconds=PATIENCE_SECONDS, max_age_seconds=None) as many,
    ):
        read(many, 20)
        assert sender.status()["topics"] == 3 * len(streams) + 1
        assert sender.status()["floods"] == 0
