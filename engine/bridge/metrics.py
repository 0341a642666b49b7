"""Prometheus metrics of a bridge. Every name is in ``docs/metrics.md``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from engine.bridge.bridge import BridgeStatus
from engine.contracts.http import split_address
from engine.errors import ConfigError

_COUNTS = {
    "received": "Messages received from the publisher.",
    "replayed": "Received messages that were missed at first and replayed.",
    "missed": "Messages that were sent but never received.",
    "malformed": "Messages that could not be read.",
    "published": "Messages that the broker has stored.",
    "published_bytes": "Bytes of the messages that the broker has stored.",
    "repeated": "Messages that the broker already had.",
    "refused": "Times that the broker refused a message, which then waits.",
    "gaps": "Gap messages that the broker has stored.",
    "parts_left_out": "Pictures and vectors left out of messages.",
    "gave_way": "Messages dropped because the buffer or the disk was full.",
    "too_large": "Messages too large for the broker even without parts.",
    "damaged": "Messages that could not be read back from the buffer.",
    "links": "Links opened to the broker.",
}
_NOW = {
    "waiting": "Messages in the buffer.",
    "waiting_bytes": "Bytes of the messages in the buffer.",
    "limit_bytes": "Size of the buffer from which the oldest messages are dropped.",
    "waits_seconds": "Age of the oldest message in the buffer.",
    "window_seconds": "How long the broker recognises duplicates.",
}


def families(status: BridgeStatus) -> Iterator[Metric]:
    """Yield what is said of a bridge."""
    yield GaugeMetricFamily("facestream_bridge_link_up", "Whether there is a link to the broker.", value=status.link == "up")
    for field, what in _NOW.items():
        yield GaugeMetricFamily(f"facestream_bridge_{field}", what, value=getattr(status, field))
    for field, what in _COUNTS.items():
        yield CounterMetricFamily(f"facestream_bridge_{field}", what, value=getattr(status, field))


class Metrics(Collector):
    """What was shown last, for whoever asks."""

    def __init__(self) -> None:
        self._status: BridgeStatus | None = None

    def show(self, status: BridgeStatus) -> None:
        """Take how the bridge stands now."""
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Yield it; nothing before it was shown once."""
        return iter(()) if self._status is None else families(self._status)


@contextmanager
def served(address: str) -> Iterator[Metrics]:
    """Answer ``GET /metrics`` at HOST:PORT for as long as the block lasts, in threads of their own.

    Raises:
        ConfigError: it is not an address, or cannot be listened at.
    """
    host, port = split_address(address, "--metrics")
    metrics, registry = Metrics(), CollectorRegistry(auto_describe=False)
    registry.register(metrics)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise ConfigError(f"--metrics {address}: cannot listen there: {error.strerror}") from error
    try:
        yield metrics
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
