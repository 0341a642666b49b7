"""Public checkpoints (ESRGAN, SwinIR, HAT, SPAN and many more) through `spandrel`, which knows their architectures.

Only single-image models: one picture of luma or RGB in, the same ``scale`` times larger out, float 0 to 1, NCHW.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Uint8
from engine.contracts.manifest import sha256_of
from engine.errors import MissingRuntimeError, ModelError
from trt_build.errors import first_line

SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors")
_LUMA = (0.299, 0.587, 0.114)
"""Coefficients of full-range RGB (ITU-R BT.601), with which a grey picture is unchanged."""


class SpandrelModel:
    """A checkpoint that spandrel loads, on the CPU.

    Args:
        path: of the checkpoint.

    Raises:
        MissingRuntimeError: spandrel is not installed.
        ModelError: the file is missing, unknown to spandrel, or not a single-image model for luma or RGB.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelError(f"there is no checkpoint '{path}': check the path")
        spandrel = _spandrel(path)
        try:
            model: Any = spandrel.ModelLoader(device="cpu").load_from_file(str(path))
        except Exception as error:  # spandrel passes on any exception of torch and of its architectures
            raise ModelError(
                f"'{path}' cannot be loaded by spandrel ({type(error).__name__}: {first_line(error)}): give a checkpoint of an "
                "architecture that it knows, or export the network to ONNX with a manifest"
            ) from error
        channels = (getattr(model, "input_channels", 0), getattr(model, "output_channels", 0))
        if not isinstance(model, spandrel.ImageModelDescriptor) or channels not in ((1, 1), (3, 3)):
            raise ModelError(
                f"'{path}' takes {channels[0]} channels and gives {channels[1]} ({type(model).__name__}): evaluation needs a "
                "single-image model for luma (1) or RGB (3)"
            )
        self.name, self.scale, self.channels = path.stem, int(model.scale), channels[0]
        self.sha256 = sha256_of(path)
        self.architecture = str(getattr(getattr(model, "architecture", None), "name", "unknown"))
        self._model = model.eval()

    def __call__(self, pictures: Uint8) -> Uint8:
        """Enlarge luma, (N, h, w) -> (N, s*h, s*w); an RGB model sees three equal channels, the luma of its result counts."""
        return np.stack([self._luma(picture) for picture in pictures])

    def enlarge_rgb(self, picture: Uint8) -> Uint8:
        """Enlarge one colour picture, (h, w, 3) RGB -> (s*h, s*w, 3)."""
        return _levels(self._run(picture.transpose(2, 0, 1)).transpose(1, 2, 0))

    def _luma(self, picture: Uint8) -> Uint8:
        result = self._run(np.broadcast_to(picture, (self.channels, *picture.shape)))
        return _levels(result[0] if self.channels == 1 else np.tensordot(np.array(_LUMA), result, axes=1))

    def _run(self, planes: Uint8) -> NDArray[np.float64]:
        """(C, h, w) of 0 to 255 -> (C, s*h, s*w) of 0 to 1, not clamped."""
        import torch

        with torch.inference_mode():
            tensor = torch.from_numpy(planes.astype(np.float32) / 255)[None]
            result = self._model(tensor)[0].float().cpu().numpy()
        _, height, width = planes.shape
        expected = (self.channels, height * self.scale, width * self.scale)
        if result.shape != expected or not np.isfinite(result).all():
            raise ModelError(
                f"{self.name} returned {result.shape} where {expected} finite values were expected: it is not a x{self.scale} "
                "single-image model, leave it out"
            )
        return np.asarray(result, np.float64)


def _spandrel(path: Path) -> Any:
    try:
        return importlib.import_module("spandrel")
    except ImportError as error:
        raise MissingRuntimeError(
            f"'{path}' is a checkpoint, and reading it needs spandrel, which is not installed: pip install spandrel"
        ) from error


def _levels(values: NDArray[np.float64]) -> Uint8:
    return np.clip(np.rint(values * 255), 0, 255).astype(np.uint8)
