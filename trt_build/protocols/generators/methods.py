"""The compared methods: interpolations, and networks given by name, manifest, ONNX file or checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import PIL

from engine.contracts.frames import Uint8
from engine.errors import ModelError
from engine.models.catalog import find_model
from trt_build.data.face_sets import Enlarge
from trt_build.measures import resample
from trt_build.measures.metrics import bicubic, lanczos
from trt_build.networks.onnx_generator import OnnxGenerator
from trt_build.protocols.generators import spandrel_model

BASE = "bicubic"
"""The default method that gains are over: OpenCV's bicubic."""
DEFAULT_SCALES = {"faces": (4,), "footage": (4,), "general": (2, 3, 4)}
"""Scales if no model is given."""


@dataclass(frozen=True)
class Method:
    """One way to enlarge luma."""

    name: str
    scale: int
    about: str
    """Implementation or origin, for the report."""
    enlarge: Enlarge
    sha256: str = ""
    """SHA-256 of the model file; empty for an interpolation."""
    manifest: Path | None = None
    """Manifest of a model, if it has one."""
    enlarge_rgb: Callable[[Uint8], Uint8] | None = None
    """The function of a colour network, on (h, w, 3) RGB."""

    @property
    def is_baseline(self) -> bool:
        """Whether it is an interpolation."""
        return not self.sha256


def baselines(scale: int, protocol: str) -> list[Method]:
    """Return the interpolations that every protocol shows; for `general` also that of the published figures."""
    version = f"OpenCV {cv2.__version__}"
    found = [
        Method(BASE, scale, f"{version} INTER_CUBIC on 8 bits: a = -0.75, no antialiasing", _each(bicubic, scale)),
        Method("lanczos4", scale, f"{version} INTER_LANCZOS4 on 8 bits: eight taps", _each(lanczos, scale)),
    ]
    if protocol == "general":
        about = f"Pillow {PIL.__version__} BICUBIC in floating point, rounded to 8 bits: a = -0.5, as MATLAB's imresize"
        found.insert(0, Method(resample.NAME, scale, about, lambda low: resample.enlarge_cubic(low, scale)))
    return found


def open_model(given: str) -> Method:
    """Open a generator.

    Args:
        given: the path of a manifest, of an ONNX file with its manifest beside it or of a checkpoint, or the name of an
            installed model.

    Raises:
        ModelError: there is no such model, or it cannot be used.
        MissingRuntimeError: a checkpoint is given, and spandrel is not installed.
    """
    path = Path(given).expanduser()
    if path.suffix in spandrel_model.SUFFIXES:
        return _of_checkpoint(path)
    found = find_model(given)
    if found is None:
        raise ModelError(
            f"there is no generator '{given}': give the path of a manifest, of an ONNX file with its manifest beside it or of "
            "a checkpoint, or a name that `facestream models list` shows"
        )
    generator = OnnxGenerator(found)
    manifest = generator.manifest
    about = f"{manifest.parameters:,} parameters, {generator.runtime}"
    return Method(manifest.name, generator.scale, about, generator, manifest.sha256, generator.manifest_path)


def open_models(given: Sequence[str]) -> list[Method]:
    """Open all of them; two with the same name and scale are distinguished by a number.

    Raises:
        ModelError: as for ``open_model``.
    """
    models: list[Method] = []
    for one in given:
        model = open_model(one)
        alike = sum(other.name.split("#")[0] == model.name and other.scale == model.scale for other in models)
        taken = {method.name for method in baselines(model.scale, "general")}
        if alike or model.name in taken:
            model = replace(model, name=f"{model.name}#{alike + 1}")
        models.append(model)
    return models


def by_scale(models: Sequence[Method], protocol: str) -> dict[int, list[Method]]:
    """Return baselines and models by scale, ascending; without models the baselines of ``DEFAULT_SCALES``."""
    scales = sorted({model.scale for model in models}) or DEFAULT_SCALES[protocol]
    return {scale: baselines(scale, protocol) + [model for model in models if model.scale == scale] for scale in scales}


def check_against(name: str, methods: Mapping[int, Sequence[Method]]) -> None:
    """Check that every scale has a method of that name, which gains are over.

    Raises:
        ModelError: one has not.
    """
    for scale, some in methods.items():
        known = [method.name for method in some]
        if name not in known:
            raise ModelError(f"nothing is called '{name}' at x{scale}: gains can be over {', '.join(known)}")


def _of_checkpoint(path: Path) -> Method:
    model = spandrel_model.SpandrelModel(path)
    about = f"{model.architecture} by spandrel, {'luma' if model.channels == 1 else 'RGB'}"
    colour = model.enlarge_rgb if model.channels == 3 else None
    return Method(model.name, model.scale, about, model, model.sha256, enlarge_rgb=colour)


def _each(method: Callable[[Uint8, int], Uint8], scale: int) -> Enlarge:
    return lambda pictures: np.stack([method(picture, scale) for picture in pictures])
