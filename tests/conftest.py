"""For all tests: an environment in which the result does not depend on the user, the processor, the hour or the load."""

from __future__ import annotations

import os

# Read when numpy and torch are loaded. Tests run side by side: a second thread of one would only wait, busily, for a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from engine.sessions.fastest import VARIABLE
from engine.sessions.precision import ignore_fpmath_mode

ignore_fpmath_mode()  # read when torch is imported, which some test files do before anything of ours

# Every run tries the same examples, and takes the time that a busy machine needs; to look for others, run
# ``pytest --hypothesis-profile=search``.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("repeatable", derandomize=True, **_PATIENT)
settings.register_profile("search", **_PATIENT)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def _nobodys_gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own gallery and models out of the tests, and the tests out of them; let modules be compiled once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv(VARIABLE, "onnxruntime")  # nothing is measured
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # the product starts its processes hundreds of times
        yield


@pytest.fixture
def in_india(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zone whose clocks differ from UTC, and by no whole number of hours."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
