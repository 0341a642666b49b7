"""How long a transaction may take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from engine.bridge.broker import Broker
from engine.bridge.kafka import Kafka
from engine.bridge.link import Outgoing
from engine.bridge.names import Key

pytest.importorskip("confluent_kafka")


def test_a_message_that_is_more_than_a_link_carries_in_time_has_longer():
    """Else it would be begun anew for ever."""
    from engine.bridge.kafka_link import KafkaLink

    waited: list[float] = []

    class Slow:
        begin_transaction = produce = staticmethod(lambda *_, **__: None)
        commit_transaction = staticmethod(waited.append)

    async def carry() -> None:
        edge = Kafka(Broker("kafka://127.0.0.1:9092", "site", ""))
        link: Any = KafkaLink(edge, lambda _: None, lambda: None)
        link._producer = Slow()
        for size in (1, 2 * edge.transaction_bytes, 100 * edge.transaction_bytes):
            link._carry([Outgoing(0, Key("run1", "door", "face", 0, 0), False, bytes(size))])

    asyncio.run(carry())
    assert waited == [5.0, 10.0, 30.0]
