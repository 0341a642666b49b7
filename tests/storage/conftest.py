"""Fixtures of this folder."""

from __future__ import annotations

import pytest

from engine.storage.s3 import Storage
from tests.servers.s3 import S3Server
from tests.servers.s3_fixtures import s3 as s3


@pytest.fixture
def storage(s3: S3Server) -> Storage:
    """Waits for nothing for long."""
    return Storage(attempts=4)
