"""What TensorRT-RTX says of engines on a machine without a GPU, and what a GPU would make it say."""

from types import SimpleNamespace

import pytest

from engine.errors import MissingRuntimeError, ModelError
from engine.sessions import tensorrt_api
from engine.sessions.tensorrt_api import FLAVOURS, TensorRT, tensorrt

HEADER_BYTES = 64


@pytest.fixture(scope="module")
def rtx():
    pytest.importorskip("tensorrt_rtx", reason="needs the extra trt-rtx")
    return tensorrt("tensorrt-rtx")


@pytest.fixture(scope="module")
def engine(rtx):
    """One addition, built for 8.9."""
    builder = rtx.api.Builder(rtx.log)
    network = builder.create_network(0)
    entry = network.add_input("x", rtx.api.float32, (1, 4))
    layer = network.add_elementwise(entry, entry, rtx.api.ElementWiseOperation.SUM)
    network.mark_output(layer.get_output(0))
    config = builder.create_builder_config()
    config.num_compute_capabilities = 1
    config.set_compute_capability(rtx.capability("8.9"), 0)
    return bytes(builder.build_serialized_network(network, config))


def changed(engine, at, value):
    return engine[:at] + bytes([value]) + engine[at + 1 :]


def test_every_compute_capability_of_the_table_is_known(rtx):
    known = {name for name in rtx.api.ComputeCapability.__members__ if name.startswith("SM")}
    assert {rtx.capability(name).name for name in FLAVOURS["tensorrt-rtx"].capabilities} == known


def test_without_a_driver_nobody_knows_whether_an_engine_runs(rtx, engine):
    fitness, reason = rtx.fitness(engine)
    if fitness == "unknown":
        assert reason == "there is no NVIDIA driver here, or too old a one, so that nobody can say whether it runs"
    else:
        assert fitness in ("fits", "unfit")  # a machine with a GPU


@pytest.mark.parametrize("what", ["empty", "noise", "first byte", "onnx"])
def test_what_is_no_engine_is_seen_without_a_driver(rtx, engine, what):
    noise = bytes(range(256)) * 40
    content = {"empty": b"", "noise": noise, "first byte": changed(engine, 0, 0), "onnx": b"\x08\x09\x12\x07pytorch" * 40}[what]
    assert rtx.fitness(content) == ("unfit", "it is damaged, or no engine")


@pytest.mark.parametrize(("at", "value", "named"), [(24, 2, "2.7.1"), (25, 6, "1.6.1"), (26, 0, "1.7.0")])
def test_a_foreign_version_is_named(rtx, engine, at, value, named):
    assert engine[24:27] == bytes(map(int, rtx.version.split(".")[:3])), "the header is laid out differently now"
    if rtx.version.split(".")[:3] != ["1", "7", "1"]:
        named = ".".join(str(value if place == at - 24 else engine[24 + place]) for place in range(3))
    fitness, reason = rtx.fitness(changed(engine, at, value))
    assert fitness == "unfit"
    assert reason == f"it was made by TensorRT-RTX {named}, here is TensorRT-RTX {rtx.version}"


def test_loading_says_what_is_missing(rtx, engine):
    if rtx.fitness(engine)[0] != "unknown":
        pytest.skip("this machine has an NVIDIA driver")
    with pytest.raises(
        MissingRuntimeError,
        match=r"the engine face\.engine cannot be loaded by .*no NVIDIA driver here, or too old a one: install",
    ):
        rtx.deserialize(engine, "face.engine")


def test_a_damaged_engine_is_not_loaded(rtx, engine):
    with pytest.raises(ModelError, match=r"the engine face\.engine cannot run: it is damaged, or no engine$"):
        rtx.deserialize(engine[1:], "face.engine")


def test_a_package_that_is_missing_is_named(monkeypatch):
    def missing(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(tensorrt_api.importlib, "import_module", missing)
    with pytest.raises(MissingRuntimeError, match=r"TensorRT-RTX is not installed: pip install 'facestream\[trt-rtx\]'"):
        TensorRT("tensorrt-rtx")
    with pytest.raises(MissingRuntimeError, match=r"TensorRT is not installed: pip install 'facestream\[trt\]'"):
        TensorRT("tensorrt")


class Answers:
    """The package, on a machine whose GPU gives these answers."""

    __version__ = "1.7.1.116"
    EngineValidity = SimpleNamespace(VALID=0, SUBOPTIMAL=1, INVALID=2)

    class EngineInvalidityDiagnostics:
        __members__ = {"UNSUPPORTED_CC": 2, "OLD_CUDA_DRIVER": 4, "INSUFFICIENT_GPU_MEMORY": 16, "MALFORMED_ENGINE": 32}

    class ILogger:
        INFO, ERROR = 3, 1

        def __init__(self):
            pass

    def __init__(self, validity, diagnostics=0, line=""):
        self._answer, self._line = (validity, diagnostics), line

    def Runtime(self, log):
        if self._line:
            log.log(1, self._line)
        return SimpleNamespace(get_engine_validity=lambda engine: self._answer)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (Answers(0), ("fits", "")),
        (Answers(1), ("fits", "it runs here, but another one would be faster: build it for this GPU")),
        (Answers(2, 2), ("unfit", "it was made for another compute capability than this GPU's")),
        (Answers(2, 4), ("lacking", "the NVIDIA driver here is too old for it: update the driver")),
        (
            Answers(2, 20),
            (
                "lacking",
                "the NVIDIA driver here is too old for it: update the driver; it needs more memory than this GPU has: build it "
                "with smaller --sizes or --batch",
            ),
        ),
        (
            Answers(2, 18),
            (
                "unfit",
                "it was made for another compute capability than this GPU's; it needs more memory than this GPU has: "
                "build it with smaller --sizes or --batch",
            ),
        ),
        (Answers(2, 0, "Something odd. In place.cpp"), ("unfit", "Something odd")),
    ],
)
def test_the_answers_of_a_gpu_are_put_into_words(monkeypatch, answers, expected):
    monkeypatch.setattr(tensorrt_api.importlib, "import_module", lambda name: answers)
    assert TensorRT("tensorrt-rtx").fitness(b"engine") == expected


@pytest.mark.parametrize(
    ("diagnostics", "kind"), [(2, ModelError), (4, MissingRuntimeError), (16, MissingRuntimeError), (32, ModelError)]
)
def test_what_another_engine_would_not_mend_is_no_fault_of_the_engine(monkeypatch, diagnostics, kind):
    """Whoever is told of a driver that is too old used to be told to build the engine again."""
    monkeypatch.setattr(tensorrt_api.importlib, "import_module", lambda name: Answers(2, diagnostics))
    with pytest.raises(kind, match=r"^the engine face cannot run: "):
        TensorRT("tensorrt-rtx").check(b"engine", "face")


USED = {
    "Builder": "create_network create_builder_config create_optimization_profile build_serialized_network",
    "IBuilderConfig": "add_optimization_profile",
    "IOptimizationProfile": "set_shape",
    "INetworkDefinition": "num_inputs num_outputs get_input get_output",
    "OnnxParser": "parse num_errors get_error",
    "ParserError": "desc node_operator",
    "Runtime": "deserialize_cuda_engine",
    "ICudaEngine": "num_io_tensors get_tensor_name get_tensor_mode get_tensor_shape get_tensor_dtype get_tensor_profile_shape "
    "create_execution_context device_memory_size_v2",
    "IExecutionContext": "set_input_shape set_tensor_address get_tensor_shape execute_async_v3 set_device_memory",
    "NetworkDefinitionCreationFlag": "STRONGLY_TYPED",
    "ExecutionContextAllocationStrategy": "USER_MANAGED",
    "TensorIOMode": "INPUT",
    "ILogger": "INFO ERROR",
    "DataType": "FLOAT HALF BF16 FP8 INT8 UINT8",
}
"""What is called of either package."""
USED_OF_RTX = {
    "IBuilderConfig": "num_compute_capabilities set_compute_capability",
    "ICudaEngine": "create_runtime_config",
    "IRuntimeConfig": "cuda_graph_strategy create_runtime_cache set_runtime_cache",
    "IRuntimeCache": "serialize deserialize",
    "CudaGraphStrategy": "WHOLE_GRAPH_CAPTURE",
    "Runtime": "get_engine_validity",
    "EngineValidity": "VALID SUBOPTIMAL",
}
"""And of TensorRT-RTX alone."""


@pytest.mark.parametrize("target", FLAVOURS)
def test_every_name_that_is_called_is_there(target):
    """Of TensorRT 10.1 to 11.4 the same names were looked for in the wheels, see ``docs/results/engines.md``."""
    api = pytest.importorskip(FLAVOURS[target].module, reason=f"needs the extra {FLAVOURS[target].extra}", exc_type=ImportError)
    for used in (USED, USED_OF_RTX if FLAVOURS[target].compiles_at_run else {}):
        for kind, names in used.items():
            assert {name for name in names.split() if not hasattr(getattr(api, kind), name)} == set(), kind
