"""Fixtures of this folder."""

import pytest

from tests.cli.command import here
from tests.desk.results import write_result
from tests.servers.s3_fixtures import s3 as s3


@pytest.fixture
def facestream(capsys, tmp_path, monkeypatch):
    """The command line, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: here(capsys, *arguments)


@pytest.fixture
def results(tmp_path):
    """Two small results in which ann and bea are seen twice."""
    write_result(tmp_path / "one", [("ann", "", 0), ("bea", "", 10), ("cid", "Cid", 20)])
    write_result(tmp_path / "two", [("bea", "", 0), ("ann", "", 10)], "gate", "run2")
    return ("one", "two")
