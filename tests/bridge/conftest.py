import threading

import pytest

from tests.client.conftest import opened, wire
from tests.patience import PATIENCE_SECONDS

__all__ = ["opened", "wire"]


@pytest.fixture(autouse=True)
def _little_reserve(monkeypatch):
    """Each buffer takes its reserve anew, which a test has no time for."""
    monkeypatch.setattr("engine.bridge.buffer_file.RESERVE_BYTES", 64 << 10)


@pytest.fixture(autouse=True)
def _links_end():
    """Threads of links to Kafka end soon after their link was closed: their connections are none of the next test's."""
    yield
    for thread in threading.enumerate():
        if thread.name == "kafka":
            thread.join(PATIENCE_SECONDS)
