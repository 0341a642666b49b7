"""Exports a trained network to one self-contained ONNX file with its manifest, for all systems."""

from __future__ import annotations

import logging
import platform
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.contracts.manifest import Manifest, Parity, sha256_of, write_manifest
from engine.sessions.session import SessionSpec, open_session
from engine.whole_file import replacing
from trt_build.errors import ExportError
from trt_build.writing import writable

OPSET = 18


def write_onnx(network: nn.Module, example: Tensor, path: Path, names: tuple[str, list[str]], axes: dict[int, Any]) -> None:
    """Write a network with one input as one file without external data, checked by onnx.

    Args:
        network: returns a tensor or a tuple of tensors.
        example: an input.
        path: of the file; its folder exists.
        names: of the input, and of the outputs.
        axes: free dimensions of the input, as ``torch.export.Dim``.
    """
    write_onnx_of(network, {names[0]: (example, axes)}, path, names[1])


def write_onnx_of(network: nn.Module, inputs: dict[str, tuple[Tensor, dict[int, Any]]], path: Path, outputs: list[str]) -> None:
    """Write a network with several inputs: ``inputs`` has an example and the free dimensions by name, in order; otherwise like
    ``write_onnx``.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network.eval(),
            tuple(example for example, _ in inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes=tuple(axes for _, axes in inputs.values()),
            verbose=False,
        )
    assert program is not None
    save_checked(_without_notes(program.model_proto), path)


def save_checked(model: onnx.ModelProto, path: Path) -> None:
    """Write a model, replacing an existing file; an invalid model is not written.

    Raises:
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError: the model is invalid.
        OSError: it cannot be written.
    """
    onnx.checker.check_model(model, full_check=True)
    with replacing(path, public=True) as beside:
        onnx.save(model, str(beside))


def _without_notes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the exporter's notes about its machine (source paths, stack traces)."""
    graph = model.graph
    noted = [model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info]
    for part in [*noted, *graph.initializer]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


def store_in_half(path: Path, least: int = 1024) -> None:
    """Store the weights of a file as float16, at half its size; they are cast to float32 when it is opened.

    Args:
        path: of an ONNX file, which is rewritten.
        least: smallest number of values of a tensor for which it pays.
    """
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < least:
            continue
        casts.append(onnx.helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=onnx.TensorProto.FLOAT))
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}_half"))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    save_checked(model, path)


def round_to_half(network: nn.Module) -> None:
    """Round all parameters to float16 values, in place, so that a file that stores float16 computes the same."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half().float())


def fold(module: nn.Module) -> None:
    """Replace each convolution and the normalisation after it by one convolution, in place."""
    for child in module.children():
        if isinstance(child, nn.Sequential) and isinstance(child[0], nn.Conv2d) and isinstance(child[1], nn.BatchNorm2d):
            child[0], child[1] = fuse_conv_bn_eval(child[0], child[1]), nn.Identity()
        else:
            fold(child)


def parity_of(
    network: Callable[..., Tensor | tuple[Tensor, ...]], path: Path, inputs: Iterable[NDArray[Any] | tuple[NDArray[Any], ...]]
) -> Parity:
    """Return the largest absolute difference between a network and its file over all outputs; infinite for NaN.

    Args:
        network: with one or several inputs.
        path: of its file.
        inputs: for each comparison an array, or a tuple with an array for each input; the shapes of the first are recorded.
    """
    session = open_session(SessionSpec(path, "onnxruntime", threads=0))
    names = [one.name for one in session.inputs]
    worst, shapes = 0.0, []
    for given in inputs:
        arrays = given if isinstance(given, tuple) else (given,)
        with torch.inference_mode():
            expected = network(*(torch.from_numpy(array) for array in arrays))
        outputs = (expected,) if isinstance(expected, Tensor) else expected
        for theirs, ours in zip(outputs, session.run(dict(zip(names, arrays, strict=True))), strict=True):
            difference = float(np.max(np.abs(theirs.numpy() - ours)))
            worst = max(worst, difference) if np.isfinite(difference) else float("inf")
        shapes.append(arrays[0].shape)
    return Parity(worst, shapes, f"onnxruntime {onnxruntime.__version__}")


def check(parity: Parity, path: Path, tolerance: float) -> None:
    """Refuse a file that does not compute what its network computes.

    Raises:
        ExportError: they differ by more than ``tolerance``.
    """
    if not parity.max_abs_error <= tolerance:
        raise ExportError(f"'{path}' differs from its network by {parity.max_abs_error:.2e}, more than {tolerance:.0e}.")


def export_described(
    path: Path,
    write: Callable[[Path], None],
    network: Callable[..., Tensor | tuple[Tensor, ...]],
    inputs: Iterable[NDArray[Any] | tuple[NDArray[Any], ...]],
    tolerance: float,
    made_by: dict[str, str] | None = None,
    **known: Any,
) -> Manifest:
    """Write a network as NAME.onnx and, if the file computes the same as the network, its manifest NAME.json.

    Args:
        path: NAME.onnx; its folder is created.
        write: writes the file.
        network: as it is written; see ``parity_of``.
        inputs: on which both are compared; see ``parity_of``.
        tolerance: largest accepted difference.
        made_by: versions in addition to those of the tools.
        known: the other fields of the manifest.

    Raises:
        ExportError: a file cannot be written, or does not compute the same as its network.
    """
    with writable(path, ExportError):
        write(path)
    parity = parity_of(network, path, inputs)
    check(parity, path, tolerance)
    manifest = Manifest(
        name=path.stem,
        file=path.name,
        sha256=sha256_of(path),
        parity=parity,
        versions=versions() | (made_by or {}),
        **known,
    )
    with writable(path, ExportError):
        write_manifest(manifest, path.with_suffix(".json"))
    return manifest


def versions() -> dict[str, str]:
    """Return the versions of the tools that write a model, for its manifest."""
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "opset": str(OPSET),
    }
