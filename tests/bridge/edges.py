"""The brokers that a bridge is tried with: each can be killed and comes back, and tells what it has."""

from __future__ import annotations

from collections import Counter

from tests.bridge.carried import has_end, read_stream, stored_ids
from tests.servers.kafka import header
from tests.servers.nats import NatsServer
from tests.servers.tansu import TansuServer


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

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, int] = {}
        self._has_end = False

    def has_end(self) -> bool:
        """Whether the end of a run has come. Each time only what is new is read: whoever waits for it by reading all, again and
        again, keeps the broker and its storage from what is waited for."""
        for record in self.read(self._seen):
            self._seen[record.partition()] = record.offset() + 1
            self._has_end |= header(record, "kind") == "end"
        return self._has_end

    def stored(self) -> Counter[str]:
        """Return how often each message is there."""
        return Counter(header(record, "id") for record in self.read())


Edge = NatsEdge | KafkaEdge
EDGES: dict[str, type[NatsEdge] | type[KafkaEdge]] = {"nats": NatsEdge, "kafka": KafkaEdge}
