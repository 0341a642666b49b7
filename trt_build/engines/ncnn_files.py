"""Converts a model to ncnn with pnnx, in one file; see ``engine.sessions.ncnn_session``."""

from __future__ import annotations

import io
import subprocess
import tempfile
import zipfile
from pathlib import Path

import msgspec
import onnx

from engine.sessions.ncnn_session import PARAM, TENSORS, WEIGHTS, NcnnTensor, NcnnTensors
from trt_build.engines.graph import replace_nodes, tensors_of
from trt_build.engines.ncnn_trial import trial
from trt_build.engines.profiles import Shapes
from trt_build.errors import ExportError

_SECONDS = 600.0
_DATE = (1980, 1, 1, 0, 0, 0)


def ncnn_container(model: onnx.ModelProto, name: str, shapes: Shapes) -> tuple[bytes, NcnnTensors]:
    """Return the file and the tensors of the model; the same model gives the same bytes.

    Args:
        model: from ``plain_graph``.
        name: its name in messages.
        shapes: smallest, best and largest input; if they differ in height and width, the network takes any size.

    Raises:
        ExportError: pnnx cannot convert the model, or ncnn cannot run it.
    """
    tensors = _tensors(model)
    plain = _float_input(model)
    with tempfile.TemporaryDirectory(prefix="ncnn-") as folder:
        source = Path(folder) / "model.onnx"
        onnx.save(plain, str(source))
        _convert(source, name, shapes)
        param, weights = (source.with_suffix(f".ncnn.{kind}").read_bytes() for kind in ("param", "bin"))
        _check_layers(param, name)
        content = _packed(param, weights, tensors)
        container = Path(folder) / "model.ncnn"
        container.write_bytes(content)
        if trouble := trial(container, shapes[:2]):
            raise ExportError(f"ncnn cannot compute {name}: {trouble}; use another target.")
    return content, tensors


def _packed(param: bytes, weights: bytes, tensors: NcnnTensors) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for member, content in ((PARAM, param), (WEIGHTS, weights), (TENSORS, msgspec.json.encode(tensors))):
            archive.writestr(zipfile.ZipInfo(member, _DATE), content)
    return held.getvalue()


def _convert(source: Path, name: str, shapes: Shapes) -> None:
    import pnnx

    small, best, large = (",".join(map(str, (1, *shape[1:]))) for shape in shapes)
    command = [pnnx.EXEC_PATH, str(source), f"inputshape=[{best}]f32", "fp16=0"]
    if small != large:
        command.append(f"inputshape2=[{large if large != best else small}]f32")
    try:
        done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ExportError(f"pnnx cannot convert {name}: it does not end within {_SECONDS:.0f} s.") from None
    if done.returncode or not source.with_suffix(".ncnn.param").is_file():
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-1:] or ["no reason given"]
        raise ExportError(f"pnnx cannot convert {name}: {said[0].strip()}.")


def _check_layers(param: bytes, name: str) -> None:
    """Refuse layers that pnnx did not convert and ncnn does not have."""
    import ncnn

    known = {line.split()[0] for line in param.decode().splitlines()[2:] if line.strip()}
    unknown = sorted(kind for kind in known if ncnn.layer_to_index(kind) < 0)
    if unknown:
        raise ExportError(f"ncnn cannot compute {name}: it has no layer {', '.join(unknown)}; use another target.")


def _float_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with a float32 input instead of 8-bit pixels, which are cast outside of ncnn."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    kind = copy.graph.input[0].type.tensor_type
    if kind.elem_type != onnx.TensorProto.UINT8:
        return copy
    kind.elem_type = onnx.TensorProto.FLOAT
    name, kept = copy.graph.input[0].name, []
    renamed: dict[str, str] = {}
    for node in copy.graph.node:
        for place, entry in enumerate(node.input):
            node.input[place] = renamed.get(entry, entry)
        if node.op_type == "Cast" and node.input[0] == name:
            renamed[node.output[0]] = name
        else:
            kept.append(node)
    replace_nodes(copy.graph, kept)
    return copy


def _tensors(model: onnx.ModelProto) -> NcnnTensors:
    inputs, outputs = (
        tuple(NcnnTensor(one.name, one.shape, one.dtype, f"{side}{at}") for at, one in enumerate(some))
        for side, some in zip(("in", "out"), tensors_of(model), strict=True)
    )
    return NcnnTensors(inputs, outputs)
