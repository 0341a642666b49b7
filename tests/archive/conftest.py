import pytest

from engine.archive import checkpoint_writer


@pytest.fixture
def every_checkpoint_is_written(monkeypatch):
    """As if each came a while after the one before."""
    monkeypatch.setattr(checkpoint_writer, "SYNC_SECONDS", 0.0)
