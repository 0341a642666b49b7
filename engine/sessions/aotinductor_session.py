"""Runs packages of torch's AOTInductor made by `trt-build build`, for GPUs that TensorRT-RTX does not support and for CPUs.

This is the only live module that imports torch, and only when such a package is opened. It has not been run on a GPU yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from engine.contracts.engine_manifest import Tensor as Described
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, InferenceError, MissingRuntimeError, ModelError
from engine.runtime.closing import Closing
from engine.runtime.cores import usable_cores
from engine.sessions.failures import run_failure
from engine.sessions.openmp import sleeping_threads
from engine.sessions.precision import ignore_fpmath_mode
from engine.sessions.spec import SessionSpec
from engine.sessions.tensors import Tensor, TensorSpec, check_inputs

METADATA = "facestream"
"""Key of the description of a package's tensors, ``Tensors`` as JSON."""


class Tensors(msgspec.Struct, frozen=True):
    """Inputs and outputs of a package."""

    inputs: tuple[Described, ...]
    outputs: tuple[Described, ...]


class AotInductorSession(Closing):
    """A package of AOTInductor; see ``engine.sessions.session.Session``."""

    def __init__(self, spec: SessionSpec) -> None:
        name = spec.title
        if spec.precision != "float32":
            raise ConfigError(f"AOTInductor computes {name} in what it was built for, not in {spec.precision}: use float32")
        self._torch = torch = import_torch()
        self._device = torch.device(_device(torch, spec.device, name))
        threads = spec.threads or usable_cores()
        self._threads = threads
        try:
            from torch._inductor.package.package import load_package

            index = self._device.index if self._device.type == "cuda" else -1
            self._package: Any = load_package(str(spec.path), num_runners=max(1, usable_cores() // threads), device_index=index)
            found = self._package.get_metadata()
            tensors = msgspec.json.decode(found[METADATA], type=Tensors)
        except (RuntimeError, OSError, KeyError, *UNREADABLE) as error:
            raise ModelError(
                f"{name} cannot be loaded by torch {torch.__version__}: it is damaged, of another version, or not what "
                f"`trt-build build --target aotinductor` writes ({_brief(error)})"
            ) from error
        self._name = name
        self.runtime = f"aotinductor {torch.__version__} {spec.device} {spec.computes_in}"
        self.inputs, self.outputs = (tuple(map(_spec, some)) for some in (tensors.inputs, tensors.outputs))
        self.profile = spec.profile_of(self.inputs)

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        check_inputs(self._name, self.inputs, tensors)
        if (package := self._package) is None:
            raise InferenceError(f"{self._name} is closed")
        torch = self._torch
        # the setting belongs to a thread, and this one may not be the one that opened the model
        torch.set_num_threads(self._threads)
        try:
            with torch.inference_mode():
                given = [torch.from_numpy(np.require(tensors[spec.name], requirements=("C", "W"))) for spec in self.inputs]
                found = package(*(tensor.to(self._device) for tensor in given))
                return [tensor.cpu().numpy() for tensor in found]
        except RuntimeError as error:
            raise run_failure(self._name, tensors, _brief(error), str(error)) from error

    def close(self) -> None:
        self._package = None


def import_torch() -> Any:
    """Import torch, set to compute float32 in full precision.

    Raises:
        MissingRuntimeError: it is not installed.
    """
    ignore_fpmath_mode()
    try:
        with sleeping_threads():
            import torch
    except ImportError as error:
        raise MissingRuntimeError(f"torch is not installed: pip install 'facestream[aotinductor]' ({error})") from error
    torch.backends.cudnn.allow_tf32 = False  # otherwise convolutions on a GPU have 10 bits of mantissa
    return torch


def _device(torch: Any, device: str, name: str) -> str:
    """Return torch's name for a device.

    Raises:
        ConfigError: there is no such device.
        MissingRuntimeError: this torch, or this machine, has no CUDA.
    """
    kind, _, number = device.partition(":")
    if device != "cpu" and (kind != "cuda" or not number.isdigit()):
        raise ConfigError(f"torch has no device {device!r} for {name}: use cpu, or cuda:0 for the first GPU")
    if kind == "cuda" and not torch.cuda.is_available():
        raise MissingRuntimeError(
            f"torch {torch.__version__} finds no CUDA here to compute {name}: install a driver and a torch that has CUDA, or "
            "set the device to cpu"
        )
    return device


def _spec(tensor: Described) -> TensorSpec:
    return TensorSpec(tensor.name, tensor.shape, np.dtype(tensor.dtype))


def _brief(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")
