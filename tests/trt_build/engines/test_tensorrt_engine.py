"""A build by TensorRT: its types are those of the graph, and it can be interrupted."""

import signal
from types import SimpleNamespace

import onnx
import pytest

from engine.sessions.tensorrt_api import FLAVOURS
from trt_build.engines import tensorrt_engine
from trt_build.errors import ExportError


def test_ctrl_c_ends_a_build_although_callbacks_swallow_exceptions():
    before, went_on = signal.getsignal(signal.SIGINT), []

    def built():
        with tensorrt_engine._interruptible():
            signal.raise_signal(signal.SIGINT)
            went_on.append("inside the builder")

    with pytest.raises(KeyboardInterrupt):
        built()
    assert went_on == ["inside the builder"]
    assert signal.getsignal(signal.SIGINT) is before


def test_types_are_those_of_the_graph(monkeypatch):
    """Without being told so TensorRT 10 would choose them, and compute an fp16 graph in what it likes."""
    asked = []
    api = SimpleNamespace(
        NetworkDefinitionCreationFlag=SimpleNamespace(EXPLICIT_BATCH=0, STRONGLY_TYPED=1),
        Builder=lambda log: SimpleNamespace(create_network=asked.append),
        OnnxParser=lambda network, log: SimpleNamespace(parse=lambda content: False, num_errors=0),
    )
    log = SimpleNamespace(begin=lambda: None)
    rt = SimpleNamespace(api=api, log=log, flavour=FLAVOURS["tensorrt"], version="10.1.0")
    monkeypatch.setattr(tensorrt_engine, "tensorrt", lambda target: rt)
    with pytest.raises(ExportError, match=r"TensorRT 10\.1\.0 cannot read face"):
        tensorrt_engine.build_engine("tensorrt", onnx.ModelProto(), "face", {}, "9.0")
    assert asked == [1 << 1]
