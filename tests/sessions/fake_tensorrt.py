"""Stand-ins for the package of TensorRT and for CUDA: ONNX Runtime computes, in memory of the host."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime

from engine.sessions.cuda_api import CudaFault
from engine.sessions.session import SessionSpec

LOW, BEST, HIGH = (1, 1, 8, 8), (4, 1, 24, 24), (8, 1, 64, 64)


class Gpu:
    """Memory that is the host's, by its true address; what fails fails with CUDA's words."""

    def __init__(self) -> None:
        self.held: dict[int, np.ndarray] = {}
        self.streams: set[int] = set()
        self.fault = ""
        self.room = 1 << 30
        """The largest piece of memory that it has."""
        self.threads: set[int] = set()
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.recorded, self.launched = 0, 0
        self.recording = threading.local()

    def open(self, device: str, extra: str) -> Gpu:
        return self

    def use(self) -> None:
        self.threads.add(threading.get_ident())

    def stream(self) -> int:
        self.streams.add(len(self.streams) + 1)
        return len(self.streams)

    def pinned(self, size: int) -> np.ndarray:
        memory = np.zeros(size, np.uint8)
        self.held[memory.ctypes.data] = memory
        return memory

    def free_pinned(self, memory: np.ndarray) -> None:
        del self.held[memory.ctypes.data]

    def allocate(self, size: int, stream: int) -> int:
        if size > self.room:
            raise CudaFault("cudaErrorMemoryAllocation: out of memory")
        return int(self.pinned(size).ctypes.data)

    def free(self, address: int, stream: int) -> None:
        del self.held[address]

    def upload(self, address: int, memory: np.ndarray, size: int, stream: int) -> None:
        assert size <= len(self.held[address])
        ctypes.memmove(address, memory.ctypes.data, size)

    def download(self, memory: np.ndarray, address: int, size: int, stream: int) -> None:
        ctypes.memmove(memory.ctypes.data, address, size)

    def record(self, stream: int, work: Callable[[], bool]) -> int:
        self.recording.steps = steps = []
        try:
            began = work()
        finally:
            del self.recording.steps
        if not began:
            raise CudaFault("cudaErrorStreamCaptureUnsupported: operation not permitted when stream is capturing")
        self.recorded += 1
        self.graphs[self.recorded] = steps
        return self.recorded

    def launch(self, graph: int, stream: int) -> None:
        self.launched += 1
        for step in self.graphs[graph]:
            step()

    def drop(self, graph: int) -> None:
        del self.graphs[graph]

    def wait(self, stream: int) -> None:
        if self.fault:
            raise CudaFault(self.fault)

    def destroy(self, stream: int) -> None:
        self.streams.remove(stream)


class Context:
    """Computes with ONNX Runtime what lies at the addresses that it is told."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.shapes, self.addresses = engine, {}, {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shapes[name] = shape
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        count, _, height, width = self.shapes["picture"]
        return (count, 1, height, width) if name == "same" else (count, 1)

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return True

    def set_device_memory(self, address: int, size: int) -> None:
        assert len(self.engine.gpu.held[address]) == size
        self.memory = address

    def execute_async_v3(self, stream: int) -> bool:
        gpu = self.engine.gpu
        work = functools.partial(self._compute, self.shapes["picture"], dict(self.addresses))
        if (
            steps := getattr(gpu.recording, "steps", None)
        ) is not None:  # nothing is computed, nor may anything be synchronised
            steps.append(work)
            return self.engine.can_be_recorded
        work()
        return not gpu.fault.startswith("start")

    def _compute(self, shape: tuple[int, ...], addresses: dict[str, int]) -> None:
        held = self.engine.gpu.held
        picture = held[addresses["picture"]][: int(np.prod(shape))].reshape(shape)
        for name, found in zip(("same", "first"), self.engine.session.run(None, {"picture": picture}), strict=True):
            held[addresses[name]][: found.nbytes] = found.reshape(-1).view(np.uint8)


class Engine:
    num_io_tensors = 3
    device_memory_size_v2 = 4096
    can_be_recorded = True

    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu
        self.session = onnxruntime.InferenceSession(two_outputs(), providers=["CPUExecutionProvider"])
        self.configs: list[SimpleNamespace] = []

    def get_tensor_name(self, at: int) -> str:
        return ("picture", "same", "first")[at]

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name == "picture" else "out"

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return (-1, 1) if name == "first" else (-1, 1, -1, -1)

    def get_tensor_dtype(self, name: str) -> type:
        return np.uint8 if name == "picture" else np.float32

    def get_tensor_profile_shape(self, name: str, profile: int) -> list[tuple[int, ...]]:
        return [LOW, BEST, HIGH]

    def create_runtime_config(self) -> SimpleNamespace:
        config = SimpleNamespace(create_runtime_cache=Cache, set_runtime_cache=lambda cache: setattr(config, "cache", cache))
        self.configs.append(config)
        return config

    def create_execution_context(self, how: object) -> Context:
        return Context(self)


class Cache:
    def __init__(self) -> None:
        self.content = b""

    def deserialize(self, content: bytes) -> bool:
        self.content = content
        return True

    def serialize(self) -> bytes:
        return self.content + b"+"


def two_outputs() -> bytes:
    """The picture as float, and the largest pixel of each item."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Cast", ["picture"], ["same"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["same", "axes"], ["first"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "two",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", 1, "h", "w"])],
        [
            helper.make_tensor_value_info("same", TensorProto.FLOAT, ["n", 1, "h", "w"]),
            helper.make_tensor_value_info("first", TensorProto.FLOAT, ["n", 1]),
        ],
        [numpy_helper.from_array(np.array([2, 3], np.int64), "axes")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString()


def spec(tmp_path: Path, runtime: str = "tensorrt-rtx", engine: str = "float16") -> SessionSpec:
    path = tmp_path / "face.engine"
    path.write_bytes(b"engine")
    return SessionSpec(path, runtime, "cuda:0", name="face", engine=engine)


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape).astype(np.uint8)
