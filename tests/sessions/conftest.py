"""A GPU, and an engine of TensorRT on it: stand-ins, see ``fake_tensorrt``."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.sessions import tensorrt_api, tensorrt_session
from engine.sessions.tensorrt_api import TensorRT
from tests.sessions.fake_tensorrt import Engine, Gpu


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    return Gpu()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, gpu: Gpu) -> Engine:
    made = Engine(gpu)

    def load(target: str) -> TensorRT:
        rt = object.__new__(TensorRT)
        rt.flavour, rt.version = tensorrt_api.FLAVOURS[target], "1.7.1"
        rt.log = SimpleNamespace(begin=lambda: None, first=lambda: "out of memory")
        rt.api = SimpleNamespace(
            TensorIOMode=SimpleNamespace(INPUT="in"),
            nptype=lambda kind: kind,
            CudaGraphStrategy=SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole"),
            ExecutionContextAllocationStrategy=SimpleNamespace(USER_MANAGED="ours"),
        )
        monkeypatch.setattr(TensorRT, "fitness", lambda self, content: ("fits", ""))
        monkeypatch.setattr(TensorRT, "deserialize", lambda self, content, name: made)
        return rt

    monkeypatch.setattr(tensorrt_session, "tensorrt", load)
    monkeypatch.setattr(tensorrt_session, "Cuda", gpu.open)
    return made
