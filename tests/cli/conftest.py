"""Fixtures of this folder."""

import cv2
import pytest
from skimage import data

import engine.cli.run.run
from tests.cli.command import here
from tests.cli.stand_in import Runs
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


@pytest.fixture
def face(tmp_path):
    """The file of a picture of a face, 40 px."""
    path = tmp_path / "face.png"
    cv2.imwrite(str(path), cv2.resize(data.astronaut()[20:180, 140:300, ::-1], (40, 40), interpolation=cv2.INTER_AREA))
    return path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """In the place of the pipeline under ``facestream run``."""
    stand_in = Runs()
    monkeypatch.setattr(engine.cli.run.run, "run_pipeline", stand_in)
    return stand_in
