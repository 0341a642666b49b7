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


def test_the_first_process_of_a_run_loads_no_decoder_and_no_runtime():
    program = (
        "import sys, engine.cli.run\n"
        "heavy = {'av', 'onnx', 'onnxruntime', 'PIL', 'torch'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
