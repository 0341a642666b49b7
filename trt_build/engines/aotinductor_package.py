"""Builds packages of torch's AOTInductor: kernels compiled for this machine's GPU or CPU, for every size of a profile."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import msgspec
import onnx

from engine.contracts.engine_manifest import Tensor
from engine.sessions.aotinductor_session import METADATA, Tensors, import_torch
from trt_build.engines.graph import tensors_of
from trt_build.engines.profiles import Shapes
from trt_build.errors import ExportError, first_line

_TOOLKIT = Path("/usr/local/cuda")
_HEADERS = ("nvidia-cuda-runtime", "nvidia-cuda-runtime-cu12")
"""Packages that come with torch."""


def aotinductor_package(model: onnx.ModelProto, name: str, shapes: Mapping[str, Shapes], *, on_gpu: bool) -> bytes:
    """Return the package.

    Args:
        model: in the types in which it computes.
        name: its name in messages.
        shapes: of its inputs, by name.
        on_gpu: build for the first GPU, otherwise for this CPU.

    Raises:
        MissingRuntimeError: torch is not installed.
        ExportError: torch cannot compute the model, or cannot compile it here.
    """
    torch = import_torch()
    if on_gpu:
        _tell_where_cuda_is()  # read when torch's inductor is imported in the next line
    from torch._inductor import aoti_compile_and_package

    from trt_build.engines.torch_graph import TorchGraph

    device = "cuda" if on_gpu else "cpu"
    if on_gpu and not torch.cuda.is_available():
        raise ExportError(
            f"torch {torch.__version__} finds no CUDA here to compile {name} for: install a driver and a torch that has CUDA."
        )
    inputs, outputs = tensors_of(model)
    settings = {
        "aot_inductor.metadata": {METADATA: msgspec.json.encode(Tensors(inputs, outputs)).decode()},
        "cpp.dynamic_threads": True,  # as many threads as the process that runs it
    }
    with tempfile.TemporaryDirectory(prefix="aotinductor-") as folder:
        path = Path(folder) / "model.pt2"
        try:
            module = TorchGraph(model).eval().to(device)
            examples = _examples(inputs, shapes, device)
            with torch.no_grad(), warnings.catch_warnings(action="ignore"):  # torch warns about its own calls
                program = torch.export.export(module, examples, dynamic_shapes=(_free(inputs, shapes),))
                aoti_compile_and_package(program, package_path=str(path), inductor_configs=settings)
        except ExportError:
            raise
        except Exception as error:  # exceptions of export and of inductor have no common base class
            raise ExportError(f"torch {torch.__version__} cannot compile {name}: {first_line(error)}.") from error
        return path.read_bytes()


def _tell_where_cuda_is() -> None:
    """Point torch to the CUDA headers installed with it: without a toolkit it compiles nothing for a GPU."""
    if any(os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH")) or shutil.which("nvcc") or _TOOLKIT.exists():
        return
    for package in _HEADERS:
        with suppress(PackageNotFoundError, StopIteration):
            found = next(file for file in files(package) or () if file.name == "cuda.h")
            os.environ["CUDA_HOME"] = str(Path(str(found.locate())).parents[1])
            return


def _examples(inputs: tuple[Tensor, ...], shapes: Mapping[str, Shapes], device: str) -> tuple[Any, ...]:
    """Return a tensor of the best shape for each input; torch would take a free dimension of 1 for a fixed one."""
    import torch

    return tuple(
        torch.zeros(
            [max(2, best) if low < high else best for low, best, high in zip(*shapes[one.name], strict=True)],
            dtype=getattr(torch, one.dtype),
            device=device,
        )
        for one in inputs
    )


def _free(inputs: tuple[Tensor, ...], shapes: Mapping[str, Shapes]) -> tuple[dict[int, Any], ...]:
    """Return the free dimensions of each input; torch finds out which are equal."""
    from torch.export import Dim

    return tuple(
        {at: Dim.AUTO(min=low, max=high) for at, (low, _, high) in enumerate(zip(*shapes[one.name], strict=True)) if low < high}
        for one in inputs
    )
