"""A build by TensorRT: its types are those of the graph, and it can be interrupted."""

import signal
from types import SimpleNamespace

import onnx
import pytest

from engine.sessions.tensorrt_api import FLAVOURS, tensorrt
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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "[localCheckMacros.cpp::getErrorStr::132] Error Code 2: OutOfMemory (Requested size was 68720921280 bytes.)",
            "OutOfMemory (Requested size was 68720921280 bytes.): give smaller --sizes or --batch.",
        ),
        ("IBuilder::buildSerializedNetwork: Error Code 1: Cuda Runtime (out of memory)", "Cuda Runtime (out of memory): give"),
        (
            "[virtualMemoryBuffer.cpp::resizePhysical::154] Error Code 2: OutOfMemory (no further information)",
            "OutOfMemory (no",
        ),
        ("Error Code 10: Internal Error (Could not find any implementation for node a.)", "Internal Error (Could not find any"),
        ("something else", "something else."),
    ],
)
def test_a_build_that_fails_says_why_without_the_place_in_its_source(monkeypatch, said, told):
    pytest.importorskip("tensorrt_rtx", reason="needs the extra trt-rtx")
    rt = tensorrt("tensorrt-rtx")
    config = SimpleNamespace(set_compute_capability=lambda *given: None, add_optimization_profile=lambda profile: None)
    builder = SimpleNamespace(
        create_network=lambda flags: SimpleNamespace(num_inputs=0, num_outputs=0),
        create_builder_config=lambda: config,
        create_optimization_profile=lambda: None,
        build_serialized_network=lambda network, config: rt.log.log(rt.api.ILogger.ERROR, said),
    )
    api = SimpleNamespace(
        Builder=lambda log: builder,
        NetworkDefinitionCreationFlag=rt.api.NetworkDefinitionCreationFlag,
        OnnxParser=lambda network, log: SimpleNamespace(parse=lambda content: True),
    )
    mocked = SimpleNamespace(api=api, log=rt.log, flavour=rt.flavour, version="1.7.1", capability=rt.capability)
    monkeypatch.setattr(tensorrt_engine, "tensorrt", lambda target: mocked)
    with pytest.raises(ExportError) as refused:
        tensorrt_engine.build_engine("tensorrt-rtx", onnx.ModelProto(), "face", {}, "8.9")
    assert str(refused.value).startswith(f"TensorRT-RTX 1.7.1 cannot build face: {told}")
