"""The command `trt-build evaluate` without its command line: from models and data to results and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import onnxruntime
import PIL
from platformdirs import user_cache_path

import engine
from trt_build.data.face_sets import people_subset
from trt_build.data.faces import load_faces
from trt_build.data.general_sets import load_sets
from trt_build.measures.bootstrap import ROUNDS
from trt_build.optional import require
from trt_build.protocols.generators.faces import measure_faces
from trt_build.protocols.generators.footage import find_clips, measure_footage
from trt_build.protocols.generators.general import measure_general
from trt_build.protocols.generators.methods import BASE, Method, by_scale, check_against, open_models
from trt_build.protocols.generators.options import Options
from trt_build.protocols.generators.papers import papers_of
from trt_build.protocols.generators.picture_scores import COLUMNS, Perceptual
from trt_build.protocols.generators.record import check_manifests
from trt_build.protocols.generators.results import Column, Curve, MethodNote, Results, Row, Strip, present
from trt_build.work import Done

Protocol = Literal["faces", "footage", "general"]

_ENOUGH = 10_000
"""Least number of pairs of strangers for a false match rate of 1e-3."""
_BORDER = "Results are clamped and rounded to 8 bits. PSNR, SSIM and false detail leave out a border of `scale` px."
ABOUT: Mapping[Protocol, tuple[str, ...]] = {
    "faces": (
        "Luma of faces of people in no training set. Each sharp face is reduced by area to the size of the truth, which is "
        "the input's size times the scale, and the input is made from that. clean: reduced by area and rounded. surveillance: "
        "passed through a simulated camera (blur, motion, noise, sharpening, JPEG, rescaling), drawn from the seed and the "
        "name of the face. h264: encoded by libx264 in a mosaic of moving faces.",
        "px is the side of the whole input picture; the face is about half as wide.",
        _BORDER,
        "The recogniser's crop is placed by landmarks found once on the sharp face, the same for every row, so only the "
        "picture differs. In the field, landmarks come from the small face. The gallery holds the sharp faces at 128 px.",
        "`NETWORK + bicubic` averages the distances of both.",
        "Intervals are 95 %, by a bootstrap over people. All rows use the same draws, so differences are paired.",
    ),
    "footage": (
        "Luma of faces in real footage. Each clip is reduced by area until its faces are small, encoded by libx264 eight "
        "times, with sizes and CRFs (23 to 38) drawn from the seed, and decoded. The truth is the same place in the original "
        "clip.",
        _BORDER,
        "Intervals are 95 %, by a bootstrap over the encodings of the clips. They say nothing about other people, as each "
        "clip shows only one.",
    ),
    "general": (
        "Luma of ITU-R BT.601 in studio range (MATLAB's rgb2ycbcr, 16 to 235, not rounded; grey files are used as they are). "
        "Pictures are cut to a multiple of the scale, reduced by antialiased bicubic with a = -0.5 (MATLAB's imresize, Pillow "
        "in floating point) and rounded to 8 bits.",
        _BORDER,
        "A colour network gets all three channels, each reduced in the same way; the luma of its result is measured.",
        "Intervals are 95 %, by a bootstrap over the pictures of sets with at least ten. With fewer, hundredths of a decibel "
        "mean nothing.",
    ),
}
"""How each protocol measures, in sentences, which the documentation's pages of results repeat."""
_FEATURES = "Networks trained with the features of dlib's first blocks have an advantage in that column."


@dataclass(frozen=True)
class Request:
    """What to measure."""

    protocol: Protocol
    models: Sequence[str]
    data: Path
    seed: int
    faces: int | None = None
    """Approximate number of faces, by whole people; None: all."""
    rounds: int = ROUNDS
    against: str = BASE
    """The method that gains are over: an interpolation, or a model by its name in the table."""
    cache: Path | None = None
    second_embedder: Path | None = None
    lpips_weights: Path | None = None
    record: bool = False
    """Whether the figures will be written into the models' manifests."""
    features: bool = False
    """Whether the distance of dlib's features is measured."""


@dataclass(frozen=True)
class Outcome:
    """The results, with their pictures and models."""

    results: Results
    strips: list[Strip]
    models: list[Method]


def evaluate(request: Request, done: Done) -> Outcome:
    """Measure all models and the baselines.

    Raises:
        DataError: the data are missing, damaged or too few.
        ModelError: a model is missing or fails.
        MissingRuntimeError: an optional package is not installed.
    """
    models = open_models(request.models)
    if request.record:
        check_manifests(models)
    methods = by_scale(models, request.protocol)
    check_against(request.against, methods)
    perceptual = _perceptual(request)
    columns, rows, curves, strips, data = _MEASURES[request.protocol](request, methods, perceptual, done)
    about = list(ABOUT[request.protocol])
    strangers = data.get("pairs of two people")
    if isinstance(strangers, int) and strangers < _ENOUGH:
        about.append(f"Only {strangers:,} pairs of strangers: TAR at FMR 1e-3 rests on {strangers // 1000} of them.")
    if "lpips" in perceptual:
        about.append(f"LPIPS: backbone {perceptual['lpips'].backbone}, weights {request.lpips_weights}.")
    if "features" in perceptual:
        about.append(_FEATURES)
    facts: dict[str, str | int] = {"source": str(request.data), "seed": request.seed}
    results = Results(
        protocol=request.protocol,
        baseline=request.against,
        about=about,
        columns=present(columns, rows),
        rows=rows,
        methods=[MethodNote(one.name, one.scale, one.about, one.sha256) for some in methods.values() for one in some],
        data=facts | data,
        versions=_versions(),
        curves=curves,
        papers=papers_of([model.name for model in models]),
    )
    return Outcome(results, strips, models)


_Parts = tuple[list[Column], list[Row], list[Curve], list[Strip], dict[str, str | int]]


def _faces(request: Request, methods: dict[int, list[Method]], perceptual: Mapping[str, Perceptual], done: Done) -> _Parts:
    faces = load_faces(request.data)
    if request.faces is not None:
        faces = people_subset(faces, request.faces, request.seed)
    found = measure_faces(faces, request.data, methods, _options(request, perceptual), done)
    data: dict[str, str | int] = {
        "faces": len(faces.names),
        "people": len(set(faces.identities())),
        "pairs of one person": int(found.pairs.same.sum()),
        "pairs of two people": int((~found.pairs.same).sum()),
        "bootstrap rounds": request.rounds,
    }
    return found.columns, found.rows, found.curves, found.strips, data


def _general(request: Request, methods: dict[int, list[Method]], perceptual: Mapping[str, Perceptual], done: Done) -> _Parts:
    sets = load_sets(request.data)
    rows, strips = measure_general(sets, methods, _options(request, perceptual), done)
    return list(COLUMNS), rows, [], strips, {f"pictures of {name}": len(pictures) for name, pictures in sets.items()}


def _footage(request: Request, methods: dict[int, list[Method]], perceptual: Mapping[str, Perceptual], done: Done) -> _Parts:
    clips = find_clips(request.data)
    columns, rows, strips, data = measure_footage(clips, methods, _options(request, perceptual), done)
    return columns, rows, [], strips, data | {"clips": ", ".join(Path(clip).name for clip in clips)}


_MEASURES = {"faces": _faces, "footage": _footage, "general": _general}


def _options(request: Request, perceptual: Mapping[str, Perceptual]) -> Options:
    cache = request.cache or user_cache_path("facestream")
    return Options(request.seed, cache, request.rounds, request.against, request.second_embedder, perceptual)


def _perceptual(request: Request) -> dict[str, Perceptual]:
    found: dict[str, Perceptual] = {}
    if request.lpips_weights is not None:
        require("torch", "LPIPS")
        from trt_build.networks.lpips import Lpips

        found["lpips"] = Lpips(request.lpips_weights)
    if request.features:
        require("torch", "The distance of features")
        from trt_build.protocols.generators.features import FeatureDistance

        found["features"] = FeatureDistance()
    return found


def _versions() -> dict[str, str]:
    return {
        "facestream": engine.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "pillow": PIL.__version__,
        "onnxruntime": onnxruntime.__version__,
    }
