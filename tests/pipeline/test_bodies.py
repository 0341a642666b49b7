"""What the workers of a run are, and what they have when they begin."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from engine.pipeline.bodies import BODIES, loaded_before
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("role", BODIES)
def test_every_body_is_where_it_is_said_to_be(role: str):
    assert callable(getattr(importlib.import_module(BODIES[role].module), BODIES[role].name))


def test_what_computes_on_a_device_of_its_own_is_never_forked():
    assert not loaded_before("inference", replaces_workers=True)
    assert not loaded_before("inference", replaces_workers=False)


@pytest.mark.parametrize(
    ("loaded", "needless"),
    [
        (["engine.cli.run.run"], {"av", "onnx", "onnxruntime", "PIL", "torch", "sqlite3", "asyncio"}),
        (loaded_before("reader", replaces_workers=False), {"onnx", "torch", "asyncio", "rich", "cyclopts"}),
    ],
    ids=["the first process", "what workers are forked from"],
)
def test_a_run_loads_nothing_to_begin_that_it_does_not_need(loaded: list[str], needless: set[str]):
    program = (
        f"import sys, {', '.join(loaded)}\nheavy = {needless} & set(sys.modules)\nsys.exit(f'loaded {{heavy}}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
