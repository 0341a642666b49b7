"""The brokers that a bridge is tried with: each can be killed and comes back, and tells what it has."""

from __future__ import annotations

from collections import Counter

from tests.bridge.carried import has_end, read_stream, stored_ids
from tests.servers.kafka import header
from tests.servers.nats import NatsServer
from tests.servers.tansu import TansuServer

_LAST = 64
"""Offsets of a partition: more than the messages and marks of the last transaction that stand behind an end."""


class NatsEdge(NatsServer):
    """NATS."""

    def has_end(self) -> bool:
        """Whether the end of a run has come."""
        return has_end(self.url)

    def stored(self) -> Counter[str]:
        """Return how often each message is there."""
        return stored_ids(read_stream(self.url, headers_only=True))


class KafkaEdge(TansuServer):
    """Kafka."""

    def has_end(self) -> bool:
        """Whether the end of a run has come, after which nothing does. Only what came last is read: whoever waits for it by
        reading all keeps the broker and its storage from what is waited for, on a busy machine for minutes."""
        return any(header(record, "kind") == "end" for record in self.read(_LAST))

    def stored(self) -> Counter[str]:
        """Return how often each message is there."""
        return Counter(header(record, "id") for record in self.read())


Edge = NatsEdge | KafkaEdge
EDGES: dict[str, type[NatsEdge] | type[KafkaEdge]] = {"nats": NatsEdge, "kafka": KafkaEdge}
