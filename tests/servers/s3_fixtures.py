"""Fixtures of whoever tests with object storage; a ``conftest.py`` imports them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.s3 import S3Server, require_s3


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """A server with the buckets ``footage`` and ``results``, and an environment in which that is the storage."""
    require_s3()
    with S3Server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        for bucket in ("footage", "results"):
            server.client.create_bucket(Bucket=bucket)
        yield server
