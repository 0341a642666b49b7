"""What worker processes do in tests, and what is heard of them."""

from __future__ import annotations

import os

from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.codec import Codec
from engine.runtime.protocol import PROTOCOL
from engine.runtime.worker import Worker, WorkerContext

CODEC = Codec(PROTOCOL)


def echo_body(context: WorkerContext, upstream: Channel) -> None:
    context.ready({"pid": str(os.getpid())})
    link = upstream.receive()
    context.telemetry.counters["links"] += 1
    upstream.send(link)


def hear_all(worker: Worker) -> list[object]:
    heard = []
    try:
        while worker.control.has_message(20):
            heard.append(worker.control.receive())
    except ChannelClosed:
        return heard
    raise AssertionError("the worker neither spoke nor ended")
