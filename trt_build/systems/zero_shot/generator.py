"""ZSSR as a live generator, for ``facestream enhance --zero-shot``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from engine.contracts.frames import Uint8
from engine.contracts.profile import Profile
from engine.errors import InferenceError
from trt_build.errors import DataError
from trt_build.systems.zero_shot.zssr import SURVEILLANCE, enlarge_zero_shot

_MOST_PIXELS = 1_000_000
"""Most pixels of a picture: the widest layer of a larger one would not fit into a laptop's memory."""


class ZeroShotGenerator:
    """Trains a network on each picture and discards it; see ``Generator``. Pictures of one size are trained side by side."""

    name = "zero-shot"
    sha256 = ""
    licence = "none: nothing was learnt before"
    scale = SURVEILLANCE.scale
    colour: Literal["luma", "bgr"] = "luma"
    profile = Profile(1, 8, 8)

    def __init__(self) -> None:
        self.runtime = f"torch {torch.__version__} CPU float32"

    def upscale(self, pictures: Sequence[Uint8], /) -> list[Uint8]:
        """See ``Generator.upscale``.

        Raises:
            InferenceError: a picture is too small or too large for training.
        """
        results: dict[int, Uint8] = {}
        for shape in {picture.shape for picture in pictures}:
            if shape[0] * shape[1] > _MOST_PIXELS:
                raise InferenceError(
                    f"a picture of {shape[1]}x{shape[0]} px is too large to be learnt: cut out what matters first"
                )
            chosen = [index for index, picture in enumerate(pictures) if picture.shape == shape]
            try:
                enlarged = enlarge_zero_shot(np.stack([pictures[index] for index in chosen]), SURVEILLANCE)
            except DataError as error:
                raise InferenceError(str(error)) from error
            results |= dict(zip(chosen, enlarged, strict=True))
        return [results[index] for index in range(len(pictures))]

    def close(self) -> None:
        """Do nothing: there is nothing to free."""
