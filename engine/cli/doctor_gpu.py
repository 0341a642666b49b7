"""What ``facestream doctor`` says of TensorRT: which of its two packages is here, and what it can do here."""

from __future__ import annotations

from engine.cli.doctor_models import Says
from engine.errors import FacestreamError, MissingRuntimeError
from engine.sessions.cuda_api import Cuda
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
