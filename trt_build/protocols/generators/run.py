"""The command `trt-build evaluate`, without its command line: models and data in, results and pictures out."""

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
"""Pairs of strangers for a false match rate of 1e-3."""
_ABOUT_FACES = (
    "Faces of people who are in no training, luma. Sharp faces are shrunk by area to the side of the truth (input times "
    "scale), then: clean, shrunk by area to the input and rounded; surveillance, through a simulated camera drawn from the "
    "seed and the name of the face (blur, motion, noise, sharpening, JPEG, rescaling); h264, mosaics of moving faces through "
    "libx264.",
    "px is the side of the whole input picture; the face is about half as wide.",
    "Results are clamped and rounded to 8 bits; a border of `scale` px is cut off for PSNR, SSIM and the false detail.",
    "The recogniser's crop is cut by landmarks found once on the sharp face, the same for every row, so that only the picture "
    "differs; in the field landmarks come from the small face. The gallery is the sharp faces at 128 px.",
    "`NETWORK + bicubic` averages the distances of both.",
    "Intervals: 95 %, bootstrap over people, the same draws for all, so that differences are paired.",
)
_ABOUT_FOOTAGE = (
    "Faces of real footage, luma. Each clip is shrunk by area until its faces are small, encoded with libx264 eight times, at "
    "sizes and CRFs (23 to 38) drawn by the seed, and decoded; the truth is the same place of the clip as it was.",
    "Results are clamped and rounded to 8 bits; a border of `scale` px is cut off for PSNR, SSIM and the false detail.",
    "Intervals: 95 %, bootstrap over the encodings of the clips. They say nothing about other people: a clip shows one.",
)
_ABOUT_GENERAL = (
    "Luma of ITU-R BT.601 in studio range (MATLAB's rgb2ycbcr, 16 to 235, not rounded; grey files as they are), cut to a "
    "multiple of the scale, shrunk by antialiased bicubic with a = -0.5 (MATLAB's imresize, Pillow in floating point), "
    "rounded to 8 bits.",
    "Results are clamped and rounded to 8 bits; a border of `scale` px is cut off for PSNR, SSIM and the false detail.",
    "A colour network gets the three channels, each shrunk in the same way; the luma of its result counts.",
    "Intervals: 95 %, bootstrap over the pictures of sets of at least ten; with fewer, hundredths of a decibel mean nothing.",
)


@dataclass(frozen=True)
class Request:
    """What to measure."""

    protocol: Protocol
    models: Sequence[str]
    data: Path
    seed: int
    faces: int | None = None
    """At most about so many, by whole people."""
    rounds: int = ROUNDS
    against: str = BASE
    """The method that gains are over: an interpolation, or a model by its name in the table."""
    cache: Path | None = None
    second_embedder: Path | None = None
    lpips_weights: Path | None = None
    record: bool = False
    """Whether the figures are to go into the models' manifests."""
    features: bool = False
    """Whether the distance of dlib's features is measured."""


@dataclass(frozen=True)
class Outcome:
    """What was found, with its pictures and its models."""

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
    measure, sentences = _PROTOCOLS[request.protocol]
    columns, rows, curves, strips, data = measure(request, methods, perceptual, done)
    about = list(sentences)
    strangers = data.get("pairs of two people")
    if isinstance(strangers, int) and strangers < _ENOUGH:
        about.append(f"Only {strangers:,} pairs of strangers: TAR at FMR 1e-3 rests on {strangers // 1000} of them.")
    if "lpips" in perceptual:
        about.append(f"LPIPS: backbone {perceptual['lpips'].backbone}, weights {request.lpips_weights}.")
    if "features" in perceptual:
        about.append("Networks that were trained with the features of dlib's first blocks have an advantage in that column.")
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


_PROTOCOLS = {"faces": (_faces, _ABOUT_FACES), "footage": (_footage, _ABOUT_FOOTAGE), "general": (_general, _ABOUT_GENERAL)}


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
