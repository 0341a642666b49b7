"""Fixtures of whoever tests with object storage; a ``conftest.py`` imports them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.servers.s3 import OtherServer, S3Server, require_s3

OTHER = "FACESTREAM_TEST_S3"
"""In the environment: endpoint of another storage to test with, whose buckets ``footage`` and ``results`` are emptied."""


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


@pytest.fixture(params=["moto", "other"])
def any_s3(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> S3Server | OtherServer:
    """That server, and where the environment names one another storage as well."""
    if request.param == "moto":
        server: S3Server = request.getfixturevalue("s3")
        return server
    if not (url := os.environ.get(OTHER)):
        pytest.skip(f"{OTHER} names no storage")
    other = OtherServer(url)
    for bucket in ("footage", "results"):
        other.empty(bucket)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    return other
