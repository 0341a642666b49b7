"""ncnn on the CPU: float32 with Winograd convolutions, the fastest for networks of many 3x3 kernels.

It reads files made by ``trt-build build --target ncnn``: an uncompressed zip of ``model.param``, ``model.bin`` and
``tensors.json``, which describes the inputs and outputs of the ONNX file.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, InferenceError, MissingRuntimeError, ModelError
from engine.runtime.closing import Closing
from engine.runtime.cores import usable_cores
from engine.sessions.failures import run_failure
from engine.sessions.openmp import sleeping_threads
from engine.sessions.spec import SessionSpec
from engine.sessions.tensors import Tensor, TensorSpec, check_inputs

PARAM, WEIGHTS, TENSORS = "model.param", "model.bin", "tensors.json"
_LESS_THAN_FLOAT32 = (
    "use_vulkan_compute", "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage",
)  # fmt: skip


class NcnnTensor(msgspec.Struct, frozen=True):
    """One tensor as the caller sees it, and its name in the network."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    blob: str


class NcnnTensors(msgspec.Struct, frozen=True):
    """What ``tensors.json`` holds."""

    inputs: tuple[NcnnTensor, ...]
    outputs: tuple[NcnnTensor, ...]


class NcnnSession(Closing):
    """A model on ncnn; see ``engine.sessions.session.Session``. It has no batches: items run one after the other."""

    def __init__(self, spec: SessionSpec) -> None:
        name = spec.title
        if spec.precision != "float32":
            raise ConfigError(f"ncnn computes {name} in float32, not in {spec.precision}: use the runtime openvino, or float32")
        if spec.device != "cpu":
            raise ConfigError(f"ncnn computes {name} on the CPU, not on {spec.device}: use the device cpu")
        try:
            with sleeping_threads():
                import ncnn
        except ImportError as error:
            raise MissingRuntimeError(f"ncnn is not installed: pip install 'facestream[ncnn]' ({error})") from error
        param, weights, tensors = read_container(spec.model, name)
        self._ncnn, self._name = ncnn, name
        net = ncnn.Net()
        net.opt.num_threads = spec.threads or usable_cores()
        net.opt.openmp_blocktime = 0
        for option in _LESS_THAN_FLOAT32:
            setattr(net.opt, option, False)
        for content, load in ((param, net.load_param), (weights, net.load_model)):
            if _through_memory(content, load) != 0:
                raise ModelError(f"{name} cannot be loaded by ncnn {ncnn.__version__}: it is damaged, or of another version")
        self._net: Any = net
        self._tensors = tensors
        self.runtime = f"ncnn {ncnn.__version__} CPU {spec.computes_in}"
        self.inputs = tuple(map(_spec, tensors.inputs))
        self.outputs = tuple(map(_spec, tensors.outputs))
        self.profile = spec.profile_of(self.inputs)

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        check_inputs(self._name, self.inputs, tensors)
        if self._net is None:
            raise InferenceError(f"{self._name} is closed")
        batch = next(iter(tensors.values())).shape[0]
        rows = [self._run_one({name: tensor[item] for name, tensor in tensors.items()}) for item in range(batch)]
        return [
            np.stack(column).astype(spec.dtype, copy=False)
            for spec, column in zip(self.outputs, zip(*rows, strict=True), strict=True)
        ]

    def close(self) -> None:
        self._net = None

    def _run_one(self, item: Mapping[str, Tensor]) -> list[Tensor]:
        """Return the outputs of one item, without the batch dimension."""
        with self._net.create_extractor() as extractor:
            # A Mat does not own the array that it is made of, so the arrays must outlive the extraction.
            held = [np.ascontiguousarray(item[tensor.name], np.float32) for tensor in self._tensors.inputs]
            for tensor, array in zip(self._tensors.inputs, held, strict=True):
                extractor.input(tensor.blob, self._ncnn.Mat(array))
            found = []
            for tensor in self._tensors.outputs:
                failed, mat = extractor.extract(tensor.blob)
                if failed:
                    raise run_failure(self._name, item, f"ncnn gives no {tensor.name}")
                found.append(_without_extra(np.array(mat), len(tensor.shape) - 1))
        return found


def read_container(model: Path | bytes, name: str) -> tuple[bytes, bytes, NcnnTensors]:
    """Return the network, its weights and its tensors.

    Raises:
        ModelError: the file is not such a container, or it is damaged.
    """
    try:
        with zipfile.ZipFile(BytesIO(model) if isinstance(model, bytes) else model) as archive:
            param, weights, tensors = (archive.read(member) for member in (PARAM, WEIGHTS, TENSORS))
        return param, weights, msgspec.json.decode(tensors, type=NcnnTensors)
    except (OSError, zipfile.BadZipFile, KeyError, EOFError, *UNREADABLE) as error:
        raise ModelError(
            f"{name} cannot be loaded by ncnn: it is damaged, or not what `trt-build build --target ncnn` writes ({error})"
        ) from error


def _through_memory(content: bytes, load: Callable[[str], int]) -> int:
    """Let ncnn read an in-memory file: what it loads from a buffer it does not copy."""
    descriptor = os.memfd_create("ncnn")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        return load(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def _without_extra(array: Tensor, rank: int) -> Tensor:
    """Drop or add leading dimensions of 1: ncnn chooses the rank of its arrays itself."""
    while array.ndim > rank and array.shape[0] == 1:
        array = array[0]
    while array.ndim < rank:
        array = array[None]
    return array


def _spec(tensor: NcnnTensor) -> TensorSpec:
    return TensorSpec(tensor.name, tensor.shape, np.dtype(tensor.dtype))
