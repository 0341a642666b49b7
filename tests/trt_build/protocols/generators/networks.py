"""Luma generators in ONNX that repeat pixels, and stand-ins for recognisers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from engine.contracts.manifest import Manifest, sha256_of, write_manifest


def repeating(folder: Path, name: str = "repeat_x2", scale: int = 2, channels: int = 1) -> Path:
    """Write NAME.onnx and NAME.json; the network returns each pixel ``scale`` times in both directions."""
    shape, large = (["n", channels, height, width] for height, width in (("h", "w"), ("H", "W")))
    scales = numpy_helper.from_array(np.array([1, 1, scale, scale], np.float32), "scales")
    node = helper.make_node("Resize", ["luma", "", "scales"], ["out"], mode="nearest")
    graph = helper.make_graph(
        [node],
        "repeat",
        [helper.make_tensor_value_info("luma", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, large)],
        [scales],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    manifest = Manifest(
        name=name,
        kind="generator",
        file=path.name,
        sha256=sha256_of(path),
        licence="CC0-1.0",
        training_data="none",
        scale=scale,
        channels=channels,
        colour="luma" if channels == 1 else "rgb",
        figures={"psnr_clean_network_db": 1.0, "tar_sharp": 2.0, "general_old_network_psnr_db": 3.0, "other": 4.0},
    )
    write_manifest(manifest, path.with_suffix(".json"))
    return path


class Blocks:
    """A recogniser of 8x8 block means of the whole picture: larger is not better, but the same place looks alike."""

    def __init__(self, *_: object, name: str = "blocks") -> None:
        self.name = name
        self.closed = False

    def vectors(self, faces, advance):
        side = faces.shape[1] // 8 * 8
        cut = faces[:, :side, :side].astype(np.float64)
        means = cut.reshape(len(cut), 8, side // 8, 8, side // 8).mean(axis=(2, 4)).reshape(len(cut), -1) - 127.3
        advance(len(faces))
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)

    def close(self) -> None:
        self.closed = True
