import pytest

from tests.client.conftest import opened, wire

__all__ = ["opened", "wire"]


@pytest.fixture(autouse=True)
def _little_reserve(monkeypatch):
    """Each buffer takes its reserve anew, which a test has no time for."""
    monkeypatch.setattr("engine.bridge.buffer_file.RESERVE_BYTES", 64 << 10)
