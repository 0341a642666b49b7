"""Fixtures of this folder."""

from pathlib import Path

import pytest

from engine.jobs.job_folder import JobFolder
from tests.servers.s3_fixtures import any_s3 as any_s3
from tests.servers.s3_fixtures import s3 as s3


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    """A job's directory."""
    made = JobFolder(tmp_path / "job")
    made.make()
    return made
