"""Pictures of several people: two faces in one picture are two people in front of the same camera."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Float32
from engine.crop.quality import assess
from engine.detect.judged import open_judged
from engine.models.catalog import find_model
from engine.verify.embedder import open_embedder
from trt_build.array_files import key_of, write_arrays
from trt_build.data.faces import grey_pictures
from trt_build.data.scenes.geometry import overlaps
from trt_build.data.scenes.teacher import grey_planes
from trt_build.errors import DataError
from trt_build.work import Done

_LEAST_FACENESS, _LEAST_FRONTAL, _LEAST_PX = 0.5, 0.5, 14.0
"""Least quality of a face that represents a person; worse ones are hardly recognisable."""
_SAME_IOU = 0.3
_MASKED = ("iAmEthanMai/mask-detection-dataset", "chandrikadeb7/Face-Mask-Detection", "prajnasb/observations")
"""In these sources a face counts as bare only if it is labelled so."""
_BARE = "without_mask"
_ONE_EVENT = ("fossasia/2017.fossasia.org", "pyvec/cz.pycon.org-2019")
"""Sources whose pictures show the same people again and again: all go to one half."""
_NOT_TWO_PEOPLE = ("czpy_", "inet_ac66e593a6", "metaex_626ae6842b", "surv_fi144")
"""Pictures excluded by inspection: they show one person twice (a banner with two portraits, a poster), dogs, or no face."""


@dataclass(frozen=True, eq=False)
class GroupFaces:
    """N faces in pictures."""

    vectors: Float32
    """(N, length), each of length 1."""
    sizes_px: NDArray[np.float64]
    pictures: NDArray[np.int64]
    """(N,) index of the picture."""
    halves: NDArray[np.int64]
    """(N,) half, 0 or 1: no source, clip or event is in both."""
    names: NDArray[np.str_]
    """(N,) file name of the picture."""
    boxes: Float32
    """(N, 4) x, y, width, height in pixels."""
    is_bare: NDArray[np.bool_]
    """(N,) whether nose and mouth are uncovered."""
    is_somebody: NDArray[np.bool_]
    """(N,) whether the face is good enough, and not the same person as another one in the picture."""


def read_group_faces(archive: Path, detector: str, cache: Path, done: Done) -> GroupFaces:
    """Find and embed all faces of a zip of pictures as the product would; the result is cached in ``cache``.

    Args:
        archive: ``images/``, ``manifest.csv``, which names the source of each file, and ``boxes.csv``, which may label faces.
        detector: as ``detect.detector``.
        cache: folder.
        done: for progress.

    Raises:
        DataError: the zip or one of its tables cannot be read, or the pictures show too few faces.
    """
    manifest, labels = _tables(archive)
    kept = cache / f"group-faces-{key_of(archive)}-{detector}.npz"
    if not kept.exists():
        write_arrays(kept, _found(archive, detector, done))
    with np.load(kept) as stored:
        names, boxes = stored["names"], stored["boxes"]
        vectors, sizes = stored["vectors"].astype(np.float32), stored["sizes_px"].astype(np.float64)
        good = (stored["faceness"] >= _LEAST_FACENESS) & (stored["frontal"] >= _LEAST_FRONTAL) & (sizes >= _LEAST_PX)
    is_bare = np.array([_bare(manifest[name][0], labels.get(name, []), box) for name, box in zip(names, boxes, strict=True)])
    twice = np.array([name.startswith(_NOT_TWO_PEOPLE) for name in names.tolist()])
    halves = np.array([_half(*manifest[name]) for name in names.tolist()], np.int64)
    pictures = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return GroupFaces(vectors, sizes, pictures, halves, names, boxes, is_bare, good & ~twice)


def _found(archive: Path, detector: str, done: Done) -> dict[str, NDArray[np.generic]]:
    finder, _ = open_judged(DetectConfig(detector=detector), find_model)
    embedder = open_embedder(VerifyConfig(), find_model)
    assert embedder is not None
    pictures = list(grey_pictures(archive, "pictures"))
    found: dict[str, list[NDArray[np.generic]]] = defaultdict(list)
    try:
        for at, (name, luma) in enumerate(pictures):
            done("pictures", at + 1, len(pictures))
            planes = grey_planes(luma, full_range=True)
            (faces,) = finder.detect([planes])
            if not len(faces.boxes):
                continue
            bgr = np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR), np.uint8)
            quality = [
                assess(planes, box, points, float(score))
                for box, points, score in zip(faces.boxes, faces.landmarks, faces.scores, strict=True)
            ]
            found["vectors"].append(embedder.embed([bgr] * len(faces.boxes), list(faces.landmarks)))
            found["sizes_px"].append(np.array([one.size_px for one in quality]))
            found["frontal"].append(np.array([one.frontal for one in quality]))
            found["faceness"].append(np.ones(len(quality)) if faces.faceness is None else np.asarray(faces.faceness))
            found["boxes"].append(faces.boxes)
            found["names"].append(np.array([name.rsplit("/", 1)[-1]] * len(quality)))
    finally:
        finder.close()
        embedder.close()
    if not found:
        raise DataError(f"The detector '{detector}' finds no face in '{archive}'.")
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _tables(archive: Path) -> tuple[dict[str, tuple[str, str]], dict[str, list[tuple[list[float], str]]]]:
    """Return repository and path by file, and the labelled boxes of each file."""
    if not archive.is_file():
        raise DataError(f"The pictures '{archive}' do not exist.")
    try:
        with zipfile.ZipFile(archive) as opened:
            sources, boxes = (
                list(csv.DictReader(io.StringIO(opened.read(name).decode()))) for name in ("manifest.csv", "boxes.csv")
            )
        manifest = {row["file"]: (row["source_repository"], row["source_path"]) for row in sources}
        labels: dict[str, list[tuple[list[float], str]]] = defaultdict(list)
        for row in boxes:
            labels[row["file"]].append(([float(row[side]) for side in "xywh"], row["source"].rsplit(":", 1)[-1].strip()))
    except (zipfile.BadZipFile, zlib.error, OSError, UnicodeDecodeError, KeyError, ValueError) as error:
        raise DataError(f"The pictures '{archive}' cannot be read: {error}.") from None
    return manifest, labels


def _bare(repository: str, labels: list[tuple[list[float], str]], box: Float32) -> bool:
    if repository not in _MASKED:
        return True
    if not labels:
        return False
    shares = overlaps(box[None], np.array([one for one, _ in labels]))[0]
    best = int(shares.argmax())
    return bool(shares[best] >= _SAME_IOU and labels[best][1] == _BARE)


def _half(repository: str, path: str) -> int:
    source = repository if repository in _ONE_EVENT else f"{repository}/{path.partition('#')[0]}"
    return zlib.crc32(source.encode()) % 2
