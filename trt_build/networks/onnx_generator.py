"""Runs an exported luma generator on ONNX Runtime for evaluation: the live implementation, on stacks of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.contracts.frames import Uint8
from engine.contracts.manifest import read_manifest
from engine.errors import ModelError
from engine.sessions.session import SessionSpec
from engine.super_resolve.manifest_generator import ManifestGenerator, manifest_of


class OnnxGenerator:
    """Luma uint8 (N, h, w) -> uint8 (N, s*h, s*w): clamped and rounded."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Load the model.

        Args:
            path: the ONNX file or the manifest beside it.
            threads: compute threads of one run; 0 lets the runtime choose.

        Raises:
            ModelError: a file is missing or corrupt, or is not a luma generator.
        """
        self.manifest_path = manifest_of(path)
        self.manifest = read_manifest(self.manifest_path)
        if self.manifest.kind != "generator" or self.manifest.channels != 1:
            raise ModelError(
                f"'{self.manifest_path}' describes a {self.manifest.kind} of {self.manifest.channels} channels, evaluation "
                "takes luma generators (1 channel): choose another model, or give a colour network's checkpoint to spandrel"
            )
        self.scale = self.manifest.scale
        self._generator = ManifestGenerator(SessionSpec(self.manifest_path, "onnxruntime", threads=threads))
        self.runtime = self._generator.runtime

    def __call__(self, faces: Uint8) -> Uint8:
        return np.stack(self._generator.upscale(list(faces)))
