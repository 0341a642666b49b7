"""A workshop, a model to build an engine of, and the gate: quick, or the real one on two faces."""

import numpy as np
import pytest

from tests.trt_build.engines.networks import write_generator
from tests.trt_build.engines.orders import PASSED
from trt_build.engines import build as building
from trt_build.engines import parity
from trt_build.engines.build import Workshop
from trt_build.engines.parity import LIMITS, verdict_of
from trt_build.engines.real_faces import RealFaces


@pytest.fixture
def shop(tmp_path):
    said = []
    workshop = Workshop(tmp_path / "engines", said.append, lambda what, done, total: None, count=2)
    object.__setattr__(workshop, "said", said)
    return workshop


@pytest.fixture
def model(tmp_path):
    return write_generator(tmp_path)


@pytest.fixture
def quick_gate(monkeypatch):
    """How the gate judges is tested elsewhere; here it matters that it is asked."""
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    passed = verdict_of(PASSED, LIMITS["generator"], 2, "two made up faces")
    monkeypatch.setattr(building, "compare", lambda model, compared, done: passed)


@pytest.fixture
def faces(monkeypatch, quick_gate):
    """The gate itself, on two faces."""
    monkeypatch.setattr(building, "compare", parity.compare)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (2, 144, 144), np.uint8)
    points = np.array([[[50, 60], [94, 60], [72, 85], [54, 105], [90, 105]]] * 2, np.float32)
    monkeypatch.setattr(parity, "gate_faces", lambda source, count: RealFaces(images, points, "two made up faces"))
