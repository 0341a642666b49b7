"""dlib's network adapted to small faces, kept as what training changed: half-precision differences to dlib's own numbers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32
from engine.errors import ModelError
from engine.models.dlib_weights import Convolution, DlibWeights


def write_adaptation(before: DlibWeights, after: DlibWeights, path: Path) -> float:
    """Write the layers that differ.

    Returns:
        The largest error that half precision makes in one number.
    """
    old, new = _arrays(before), _arrays(after)
    changed = {name: (new[name] - old[name]).astype(np.float16) for name in old if not np.array_equal(new[name], old[name])}
    np.savez_compressed(path, allow_pickle=False, **changed)
    errors = [float(np.abs(old[name] + difference - new[name]).max()) for name, difference in changed.items()]
    return max(errors, default=0.0)


def adapted(weights: DlibWeights, path: Path) -> DlibWeights:
    """Return the adapted network.

    Args:
        weights: dlib's own.
        path: of ``write_adaptation``.

    Raises:
        ModelError: the file is missing, damaged, or not an adaptation of this network.
    """
    arrays = _arrays(weights)
    try:
        with path.open("rb") as file, np.load(file) as stored:
            for name in stored.files:
                difference = stored[name]
                if difference.shape != arrays[name].shape or not np.isfinite(difference).all():
                    raise ValueError(f"{name} is not a difference of {'x'.join(map(str, arrays[name].shape))} numbers")
                arrays[name] = arrays[name] + difference.astype(np.float32)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path} is not an adaptation of dlib's network ({error}): install facestream again") from error
    blocks = tuple(
        (_convolution(arrays, f"{number}.first"), _convolution(arrays, f"{number}.second"))
        for number in range(len(weights.blocks))
    )
    return DlibWeights(weights.mean_rgb, _convolution(arrays, "stem"), blocks, arrays["projection"])


def _arrays(weights: DlibWeights) -> dict[str, Float32]:
    layers = {"stem": weights.stem}
    for number, (first, second) in enumerate(weights.blocks):
        layers |= {f"{number}.first": first, f"{number}.second": second}
    arrays: dict[str, Float32] = {"projection": weights.projection}
    for name, layer in layers.items():
        arrays |= {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}
    return arrays


def _convolution(arrays: dict[str, NDArray[np.float32]], name: str) -> Convolution:
    return Convolution(arrays[f"{name}.weight"], arrays[f"{name}.bias"])
