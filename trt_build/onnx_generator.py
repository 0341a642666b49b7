"""An exported generator on ONNX Runtime, for evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from engine.contracts.manifest import read_manifest
from engine.errors import ModelError

BATCH = 32


class OnnxGenerator:
    """Luma uint8 (N, h, w) -> uint8 (N, s*h, s*w): clamped and rounded."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """`path`: the ONNX file or the manifest beside it; `threads` 0 lets the runtime choose."""
        manifest_path = path.with_suffix(".json")
        self.manifest_path = manifest_path
        self.manifest = read_manifest(manifest_path)
        if self.manifest.kind != "generator" or self.manifest.channels != 1:
            raise ModelError(f"'{manifest_path}' does not describe a luma generator.")
        self.scale = self.manifest.scale
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        model = manifest_path.with_name(self.manifest.file)
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        parts = [self._run(faces[i : i + BATCH]) for i in range(0, len(faces), BATCH)]
        return np.concatenate(parts)

    def _run(self, faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
        low, high = self.manifest.value_range
        luma = faces[:, None].astype(np.float32) / 255 * (high - low) + low
        enlarged = self._session.run(None, {self._input: luma})[0][:, 0]
        levels = (np.clip(enlarged, low, high) - low) / (high - low) * 255
        return np.asarray(np.rint(levels), dtype=np.uint8)
