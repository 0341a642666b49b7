"""The brokers that a bridge is tried with: each can go away and come back, and tells what it has."""

from __future__ import annotations

from collections import Counter

from tests.bridge.carried import has_end, read_stream, stored_ids
from tests.servers.kafka import KafkaServer, header, read_topic
from tests.servers.nats import NatsServer


class NatsEdge(NatsServer):
    """Is killed."""

    picture_bytes = 20_000

    def has_end(self) -> bool:
        """Whether the end of a run has come."""
        return has_end(self.url)

    def stored(self) -> Counter[str]:
        """Return how often each message is there."""
        return stored_ids(read_stream(self.url, headers_only=True))


class KafkaEdge(KafkaServer):
    """Hangs up, and listens no more."""

    picture_bytes = 100
    """It keeps 5 MB of a partition."""

    def has_end(self) -> bool:
        """Whether the end of a run has come."""
        return any(header(record, "kind") == "end" for record in read_topic(self.address, self.topic, 1))

    def stored(self) -> Counter[str]:
        """Return how often each message is there."""
        return Counter(header(record, "id") for record in self.read())


Edge = NatsEdge | KafkaEdge
EDGES: dict[str, type[NatsEdge] | type[KafkaEdge]] = {"nats": NatsEdge, "kafka": KafkaEdge}
