"""Small ONNX networks with known answers, and their manifests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from engine.contracts.manifest import Manifest, sha256_of, write_manifest
from engine.contracts.profile import Profile
from engine.sessions.tensors import Tensor, TensorSpec

_TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}


def write_network(
    folder: Path,
    name: str = "resize",
    mode: str = "nearest",
    gain: list[float] | None = None,
    offset: float = 0.0,
    inputs: int = 1,
    network_batch: int | str = "n",
    network_scale: int = 4,
    network_channels: int | None = None,
    **manifest: Any,
) -> Path:
    """Write ``NAME.onnx``, which returns ``resize(x) * gain + offset``, with ``NAME.json``; return the latter.

    Args:
        gain: one for each channel.
        inputs: more than one adds inputs that the network adds to the first.
        network_batch: the network's batch, whatever the manifest says; free by default.
        network_scale: likewise.
        network_channels: likewise.
        manifest: fields of the manifest that differ from a float32 luma generator x4 with values 0 to 1.
    """
    channels = network_channels or manifest.get("channels", 1)
    kind = _TYPES[manifest.get("dtype", "float32")]
    gains = np.array(gain or [1.0] * channels, np.float32).reshape(1, channels, 1, 1)
    names = ["input", *(f"extra{number}" for number in range(1, inputs))]
    nodes = [helper.make_node("Cast", ["input"], ["x"], to=TensorProto.FLOAT)]
    sampling = {"coordinate_transformation_mode": "half_pixel", "cubic_coeff_a": -0.75, "nearest_mode": "round_prefer_floor"}
    nodes.append(helper.make_node("Resize", ["x", "", "scales"], ["large"], mode=mode, **sampling))
    nodes.append(helper.make_node("Mul", ["large", "gain"], ["scaled"]))
    nodes.append(helper.make_node("Add", ["scaled", "offset"], ["sum"]))
    nodes.append(helper.make_node("Cast", ["sum"], ["output"], to=kind))
    constants = {"scales": np.array([1, 1, network_scale, network_scale]), "gain": gains, "offset": np.array(offset)}
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(item, kind, [network_batch, channels, "h", "w"]) for item in names],
        [helper.make_tensor_value_info("output", kind, [network_batch, channels, "H", "W"])],
        [onnx.numpy_helper.from_array(value.astype(np.float32), key) for key, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    return describe(path, **manifest)


def describe(path: Path, **manifest: Any) -> Path:
    """Write a manifest beside a model file."""
    fields: dict[str, Any] = {"scale": 4, "kind": "generator", "licence": "CC0-1.0", "training_data": "none"}
    fields |= {"name": path.stem, "file": path.name, "sha256": sha256_of(path), **manifest}
    write_manifest(Manifest(**fields), path.with_suffix(".json"))
    return path.with_suffix(".json")


MANY = Profile(1, 32, 32)


class RecordingSession:
    """A session that repeats each pixel ``scale`` times and remembers the shapes it got."""

    runtime = "recording"

    def __init__(self, scale: int = 4, profile: Profile = MANY) -> None:
        self.scale = scale
        self.profile = profile
        self.inputs = (TensorSpec("input", None, np.dtype(np.float32)),)
        self.outputs = (TensorSpec("output", None, np.dtype(np.float32)),)
        self.shapes: list[tuple[int, ...]] = []
        self.closed = False

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        tensor = tensors["input"]
        assert tensor.flags.c_contiguous
        self.shapes.append(tensor.shape)
        return [tensor.repeat(self.scale, 2).repeat(self.scale, 3)]

    def close(self) -> None:
        self.closed = True
