"""How a subscriber's socket is connected, and what it asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import zmq

from engine.keys import curve
from engine.keys.files import ClientKey

_HWM = 256
_BUFFER_BYTES = 64 * 1024
_FRESH_HWM = 8
_FRESH_BUFFER_BYTES = 16 * 1024
"""What waits here is already old for a slow reader."""
_RECONNECT_MS, _RECONNECT_CAP_MS = 100, 1_000
_KEEPALIVE_IDLE_SECONDS, _KEEPALIVE_SECONDS, _KEEPALIVE_TRIES = 15, 5, 3


def connect(opened: zmq.Socket[bytes], endpoint: str, topics: Sequence[str], key: ClientKey | None, *, fresh: bool) -> None:
    """Connect a socket; ``fresh``: little may wait in it, as what waits grows old.

    Raises:
        zmq.ZMQError: the endpoint is none.
    """
    opened.setsockopt(zmq.LINGER, 0)
    opened.setsockopt(zmq.RCVHWM, _FRESH_HWM if fresh else _HWM)
    opened.setsockopt(zmq.RCVBUF, _FRESH_BUFFER_BYTES if fresh else _BUFFER_BYTES)
    opened.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
    opened.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_CAP_MS)
    # Not ZeroMQ's heartbeat: a reader that pauses for long would take its publisher for dead.
    opened.setsockopt(zmq.TCP_KEEPALIVE, 1)
    opened.setsockopt(zmq.TCP_KEEPALIVE_IDLE, _KEEPALIVE_IDLE_SECONDS)
    opened.setsockopt(zmq.TCP_KEEPALIVE_INTVL, _KEEPALIVE_SECONDS)
    opened.setsockopt(zmq.TCP_KEEPALIVE_CNT, _KEEPALIVE_TRIES)
    if opened.type == zmq.SUB:
        # What a reader sends is what it subscribes to; beyond the bound topics would be lost without a word.
        opened.setsockopt(zmq.SNDHWM, 0)
        # Before connecting, so that they reach the publisher together.
        for topic in topics:
            opened.setsockopt(zmq.SUBSCRIBE, topic.encode())
    curve.connect(opened, endpoint, key)


def topics_of(kinds: Collection[str], streams: Collection[str] | None) -> list[str]:
    """Return what to subscribe to for these kinds of these streams; None: of all."""
    topics = []
    for kind in sorted(kinds):
        if streams is None or kind in ("stats", "end"):
            topics.append(f"v1/{kind}/")
        else:
            topics += [f"v1/{kind}/{stream}/" for stream in sorted(streams)]
    return topics
