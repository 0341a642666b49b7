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
    "received": "Messages that came from the publisher.",
    "replayed": "Of these, what was missed at first.",
    "missed": "Messages that were sent and never came.",
    "malformed": "Messages that could not be read.",
    "published": "Messages that the broker has stored.",
    "published_bytes": "Of these.",
    "repeated": "Messages that the broker had already.",
    "refused": "Times that the broker did not take a message, which waits.",
    "gaps": "Gap messages that the broker has stored.",
    "parts_left_out": "Pictures and vectors that did not go along.",
    "gave_way": "Messages that went as the buffer or the disk was full.",
    "too_large": "Messages that the broker does not take even without parts.",
    "damaged": "Messages that could not be read back from the buffer.",
    "links": "Times that a link was opened.",
}
_NOW = {
    "waiting": "Messages in the buffer.",
    "waiting_bytes": "Of these.",
    "limit_bytes": "When so much waits, the oldest goes.",
    "waits_seconds": "Since the oldest message in the buffer came.",
    "window_seconds": "For so long the broker knows what it has.",
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
