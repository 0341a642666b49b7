"""Which broker an address means."""

from __future__ import annotations

from collections.abc import Callable

from engine.bridge.broker import Broker, Edge
from engine.bridge.jetstream import JetStream
from engine.bridge.kafka import Kafka
from engine.errors import ConfigError

_EDGES: dict[str, Callable[[Broker], Edge]] = {
    "nats": JetStream,
    "tls": JetStream,
    "kafka": Kafka,
    "kafka+ssl": Kafka,
}


def edge_of(broker: Broker) -> Edge:
    """Return what carries messages to an address.

    Raises:
        ConfigError: it is of no broker that is known, or an option is of another one.
    """
    scheme, separator, _ = broker.url.partition("://")
    edge = _EDGES.get(scheme) if separator else None
    if edge is None:
        raise ConfigError(
            f"--to is {broker.shown}: use nats://HOST:4222 or tls://HOST:4222 for NATS, kafka://HOST:9092 or "
            "kafka+ssl://HOST:9093 for Kafka"
        )
    if broker.window_seconds is not None and edge is not JetStream:
        raise ConfigError(f"--window is for NATS, and --to is {broker.shown}: leave --window out")
    if broker.sasl is not None and edge is not Kafka:
        raise ConfigError(f"--sasl is for Kafka, and --to is {broker.shown}: leave --sasl out")
    return edge(broker)
