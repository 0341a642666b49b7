"""What ``facestream doctor`` says about NVIDIA GPUs: TensorRT's two packages, and ONNX Runtime's providers."""

from __future__ import annotations

from engine.cli.setup.doctor_models import Says
from engine.errors import FacestreamError, MissingRuntimeError
from engine.sessions.cuda_api import Cuda
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX, provider_for
from engine.sessions.tensorrt_api import FLAVOURS, TensorRT, tensorrt

USE = "only engines for NVIDIA GPUs need it"


def say_tensorrt() -> Says:
    """Each package that is installed, whether it builds and computes here; where none is, how to get one."""
    found: dict[str, TensorRT] = {}
    absent: dict[str, str] = {}
    for target in FLAVOURS:
        try:
            found[target] = tensorrt(target)
        except MissingRuntimeError as error:
            absent[target] = str(error)
    for rt in found.values():
        name = f"{rt.flavour.name} {rt.version} is installed"
        try:
            Cuda("cuda:0", rt.flavour.extra)
            yield "ok", f"{name}, builds engines and computes them on cuda:0"
        except FacestreamError as error:
            builds = "builds engines, and" if rt.flavour.capabilities else "neither builds engines nor"
            yield "optional", f"{name}, {builds} computes {'none ' if rt.flavour.capabilities else ''}here: {error}"
    if not found:
        yield "optional", f"{next(iter(absent.values()))}; {USE}"


def say_providers() -> Says:
    """Each of ONNX Runtime's providers for a GPU: whether it is here, and how to get it."""
    for runtime, what in ((ON_CUDA, "CUDA"), (ON_RTX, "TensorRT-RTX")):
        try:
            provider_for(runtime, "cuda:0")
            yield "ok", f"ONNX Runtime has its provider of {what}"
        except FacestreamError as error:
            yield "optional", f"{error}; only `device: cuda:0` without an engine of TensorRT or torch needs it"
