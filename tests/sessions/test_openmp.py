"""OpenMP's threads sleep while they wait, whoever brings it along; what it has read it says itself."""

import os
import subprocess
import sys

import pytest

from engine.sessions.openmp import sleeping_threads
from tests.patience import PATIENCE_SECONDS

LOADS = {
    "ncnn": """
from engine.errors import ModelError
from engine.sessions.session import SessionSpec, open_session
try:
    open_session(SessionSpec(b"", "ncnn"))
except ModelError:
    pass
""",
    "torch": "from engine.sessions.aotinductor_session import import_torch; import_torch()",
}


def spins_of(package, **environment):
    """Return how often OpenMP says that a thread looks before it sleeps, in a process that loads it as a session does."""
    pytest.importorskip(package, reason=f"needs {package}")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    said = subprocess.run(
        [sys.executable, "-c", LOADS[package]],
        env=clean | {"OMP_DISPLAY_ENV": "VERBOSE"} | environment, capture_output=True, text=True, check=True,
        timeout=PATIENCE_SECONDS,
    ).stderr  # fmt: skip
    told = [line for line in said.splitlines() if "GOMP_SPINCOUNT" in line]
    if not told:
        pytest.skip(f"this {package} brings another OpenMP along than GNU's")
    return int(told[-1].split("'")[1])


@pytest.mark.parametrize("package", LOADS)
def test_threads_that_wait_sleep(package):
    assert spins_of(package) == 0


@pytest.mark.parametrize("package", LOADS)
def test_what_the_user_has_set_stays(package):
    assert spins_of(package, OMP_WAIT_POLICY="ACTIVE") > 0


@pytest.mark.parametrize("before", [None, "ACTIVE"])
def test_the_environment_is_as_before(monkeypatch, before):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if before is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", before)
    with pytest.raises(ImportError), sleeping_threads():
        raise ImportError
    assert os.environ.get("OMP_WAIT_POLICY") == before


def test_two_threads_may_load_at_once(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with sleeping_threads():
        os.environ.pop("OMP_WAIT_POLICY")  # as another does that came at the same moment and is ready
    assert "OMP_WAIT_POLICY" not in os.environ
