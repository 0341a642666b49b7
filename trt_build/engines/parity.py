"""The gate: compares an engine with its model in ONNX Runtime float32, on real faces, with the live classes.

Generators may lose 0.1 dB and 0.002 of the cosine with the sharp face's vector; embedders' vectors must keep a cosine of
0.9999; detectors must find the same faces, and the second look must give the same verdict, in 99.5 % of the cases. The second
look's position of a face may move by 0.01 of its width.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.contracts.engine_manifest import FULL_GATE_FACES, EngineParity
from engine.contracts.frames import Detections, Float32, Uint8
from engine.contracts.manifest import Manifest, read_manifest, sha256_of, write_manifest
from engine.detect.grey import GreyDetector
from engine.detect.second_look import SecondLook
from engine.models.catalog import models_dir
from engine.models.dlib_embedder import dlib_embedder
from engine.sessions.built_engines import BuiltEngine
from engine.sessions.session import SessionSpec
from engine.super_resolve.manifest_generator import ManifestGenerator
from engine.verify.onnx_embedder import OnnxEmbedder
from trt_build.data.degradation import clean
from trt_build.data.scenes.geometry import overlaps
from trt_build.data.scenes.teacher import grey_planes
from trt_build.engines.inputs import coloured
from trt_build.engines.real_faces import (
    GATE_FACES,
    RealFaces,
    RealPictures,
    gate_faces,
    grey_detector,
    pictures_with_faces,
    sides,
    small,
)
from trt_build.measures.metrics import HIGHEST_DB, psnr
from trt_build.work import Done

LIMITS: dict[str, dict[str, float]] = {
    "generator": {"psnr_lost_db": 0.1, "cosine_moved": 0.002},
    "embedder": {"least_cosine": 0.9999},
    "detector": {"same_faces": 0.995},
    "second_look": {"same_judgement": 0.995, "places_moved": 0.01},
}
_AT_LEAST = ("least_cosine", "same_faces", "same_judgement")
"""Figures that must not fall below their limit; the others must not exceed it."""
_SAME_IOU = 0.9
_PICTURES = 120
_REFERENCE = "onnxruntime"


@dataclass(frozen=True)
class Compared:
    """How an engine is opened, and the faces on which it is compared."""

    engine: BuiltEngine
    device: str = "cpu"
    faces: Path | None = None
    """A zip or folder of pictures with faces, instead of the default."""
    count: int = GATE_FACES


def compare(model: Path, compared: Compared, done: Done) -> EngineParity:
    """Compare an engine with its model.

    Args:
        model: the manifest of the model.
        compared: the engine.
        done: for progress.

    Raises:
        ModelError: the engine or the model cannot be opened.
        InferenceError: one of them fails.
        DataError: the given faces cannot be read.
    """
    kind = compared.engine.manifest.kind
    with _as_model(model, compared) as candidate:
        figures, faces, source = _GATES[kind](model, candidate, compared, done)
    return verdict_of(figures, LIMITS[kind], faces, source)


def verdict_of(figures: dict[str, float], limits: dict[str, float], faces: int, source: str) -> EngineParity:
    """Compare the figures with their limits; NaN exceeds any limit."""
    over = [
        f"{name.replace('_', ' ')} {figures[name]:.4g} for {'at least' if name in _AT_LEAST else 'at most'} {limit:g}"
        for name, limit in limits.items()
        if not (figures[name] >= limit if name in _AT_LEAST else figures[name] <= limit)
    ]
    return EngineParity(
        verdict="failed" if over else "passed",
        reason="; ".join(over),
        faces=faces,
        source=source,
        note="" if faces >= FULL_GATE_FACES else f"{faces} faces: not a full gate",
        figures={name: round(float(value), 6) for name, value in figures.items()},
        limits=limits,
    )


Found = tuple[dict[str, float], int, str]


def _generators(model: Path, candidate: Path, compared: Compared, done: Done) -> Found:
    faces = gate_faces(compared.faces, compared.count)
    scale = read_manifest(model).scale
    with (
        closing(ManifestGenerator(SessionSpec(model, _REFERENCE))) as ours,
        closing(ManifestGenerator(compared.engine.computing(SessionSpec(candidate, device=compared.device)))) as theirs,
        closing(OnnxEmbedder(SessionSpec(dlib_embedder(models_dir()), _REFERENCE))) as embedder,
    ):
        rows = [_one_face(faces, at, scale, compared, (ours, theirs), embedder, done) for at in range(len(faces))]
    lost, moved, fidelity = (np.array(column) for column in zip(*rows, strict=True))
    figures = {
        "psnr_lost_db": float(np.mean(lost)),
        "psnr_lost_most_db": float(np.max(lost)),
        "cosine_moved": float(np.mean(np.abs(moved))),
        "cosine_moved_most": float(np.max(np.abs(moved))),
        "psnr_to_float32_db": float(np.mean(fidelity)),
    }
    return figures, len(faces), faces.source


def _one_face(
    faces: RealFaces,
    at: int,
    scale: int,
    compared: Compared,
    generators: Sequence[ManifestGenerator],
    embedder: OnnxEmbedder,
    done: Done,
) -> tuple[float, float, float]:
    """Return the loss in dB against the sharp face, the change of the cosine with it, and the PSNR between the two results."""
    possible = sides(scale, *compared.engine.manifest.key.profile.sizes_px)
    side = possible[at % len(possible)]
    seen = small(faces.images[at], side, at)
    pictures = [
        _luma(generator.upscale([seen if generator.colour == "luma" else coloured(seen)])[0]) for generator in generators
    ]
    truth = clean(faces.images[at], side * scale) if side * scale <= len(faces.images[at]) else pictures[0]
    ours, theirs = (min(HIGHEST_DB, psnr(picture, truth, scale)) for picture in pictures)
    vectors = embedder.embed(
        [coloured(picture) for picture in (truth, *pictures)],
        [(faces.points[at] + 0.5) * (len(picture) / len(faces.images[at])) - 0.5 for picture in (truth, *pictures)],
    )
    done("comparing faces", at + 1, len(faces))
    moved = float(vectors[0] @ vectors[2] - vectors[0] @ vectors[1])
    return ours - theirs, moved, min(HIGHEST_DB, psnr(pictures[1], pictures[0], 0))


def _embedders(model: Path, candidate: Path, compared: Compared, done: Done) -> Found:
    faces = gate_faces(compared.faces, compared.count)
    cosines: list[float] = []
    with (
        closing(OnnxEmbedder(SessionSpec(model, _REFERENCE))) as ours,
        closing(OnnxEmbedder(compared.engine.computing(SessionSpec(candidate, device=compared.device)))) as theirs,
    ):
        for at, (image, points) in enumerate(zip(faces.images, faces.points, strict=True)):
            side = (len(image), 12, 16, 24, 32, 48)[at % 6]
            seen = image if side == len(image) else small(image, side, at)
            places = (points + 0.5) * (side / len(image)) - 0.5
            one, other = (embedder.embed([coloured(seen)], [places])[0] for embedder in (ours, theirs))
            cosines.append(float(one.astype(np.float64) @ other.astype(np.float64)))
            done("comparing faces", at + 1, len(faces))
    figures = {"least_cosine": min(cosines), "mean_cosine": float(np.mean(cosines))}
    return figures, len(faces), f"{faces.source}, 12 to 144 px"


def _detectors(model: Path, candidate: Path, compared: Compared, done: Done) -> Found:
    pictures = pictures_with_faces(_PICTURES)
    found, same = 0, 0
    with (
        closing(GreyDetector(SessionSpec(model, _REFERENCE))) as ours,
        closing(GreyDetector(compared.engine.computing(SessionSpec(candidate, device=compared.device)))) as theirs,
    ):
        for at, image in enumerate(pictures.images):
            planes = [grey_planes(image, full_range=True)]
            boxes = [detector.detect(planes)[0].boxes for detector in (ours, theirs)]
            found += max(map(len, boxes))
            same += _matched(*boxes)
            done("comparing pictures", at + 1, len(pictures.images))
    return {"same_faces": same / max(found, 1), "mean_faces": found / len(pictures.images)}, found, pictures.source


def _second_looks(model: Path, candidate: Path, compared: Compared, done: Done) -> Found:
    pictures = pictures_with_faces(_PICTURES)
    with (
        closing(SecondLook(SessionSpec(model, _REFERENCE))) as ours,
        closing(SecondLook(compared.engine.computing(SessionSpec(candidate, device=compared.device)))) as theirs,
    ):
        pairs = list(_judged((ours, theirs), pictures, done))
        limits = np.array([ours.limits.refused_below, ours.limits.accepted_from, ours.limits.alone_from])
    one, other = (np.concatenate([judged.faceness for judged in side]) for side in zip(*pairs, strict=True))
    same = (one[:, None] >= limits) == (other[:, None] >= limits)
    moved = np.concatenate([_moved(*pair) for pair in pairs])
    figures = {
        "same_judgement": float(same.all(axis=1).mean()),
        "places_moved": float(moved.mean()),
        "places_moved_most": float(moved.max()),
        "most_moved": float(np.abs(one - other).max()),
    }
    return figures, len(one), pictures.source


_GATES: dict[str, Callable[[Path, Path, Compared, Done], Found]] = {
    "generator": _generators,
    "embedder": _embedders,
    "detector": _detectors,
    "second_look": _second_looks,
}


def _judged(looks: Sequence[SecondLook], pictures: RealPictures, done: Done) -> Iterator[tuple[Detections, ...]]:
    for at, image in enumerate(pictures.images):
        (found,) = grey_detector().detect([grey_planes(image, full_range=True)])
        done("comparing pictures", at + 1, len(pictures.images))
        if len(found):
            yield tuple(look.judge(image, found, correct=True) for look in looks)


def _moved(one: Detections, other: Detections) -> NDArray[np.float64]:
    """Return the distance of corners and landmarks of corresponding faces, (N,), as a share of the face's width."""
    corners = [np.stack([found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]], axis=1) for found in (one, other)]
    points = [np.concatenate([ends, found.landmarks], axis=1) for ends, found in zip(corners, (one, other), strict=True)]
    away = np.linalg.norm(points[0].astype(np.float64) - points[1], axis=2).mean(axis=1)
    return np.asarray(away / one.boxes[:, 2], np.float64)


def _matched(one: Float32, other: Float32) -> int:
    """Return how many boxes of one have a match in the other; each is matched once."""
    if not len(one) or not len(other):
        return 0
    shared: NDArray[np.float64] = np.asarray(overlaps(one, other), np.float64)
    count = 0
    for _ in range(min(shared.shape)):
        row, column = np.unravel_index(int(np.argmax(shared)), shared.shape)
        if shared[row, column] < _SAME_IOU:
            break
        count += 1
        shared[row, :], shared[:, column] = -1, -1
    return count


def _luma(picture: Uint8) -> Uint8:
    return picture if picture.ndim == 2 else np.asarray(picture[:, :, 1], np.uint8)


@contextmanager
def _as_model(model: Path, compared: Compared) -> Iterator[Path]:
    """Yield a manifest that describes the engine as a model, so that the live classes can open it."""
    described: Manifest = read_manifest(model)
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        engine = Path(folder) / compared.engine.path.name
        os.symlink(compared.engine.path.resolve(), engine)
        path = Path(folder) / f"{described.name}.json"
        write_manifest(
            msgspec.structs.replace(described, file=engine.name, sha256=sha256_of(engine), output="", parity=None), path
        )
        yield path
