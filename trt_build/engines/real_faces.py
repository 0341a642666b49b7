"""Real faces and pictures, for the calibration of int8 engines and the comparison of all engines."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.engine_manifest import FULL_GATE_FACES
from engine.contracts.frames import Detections, Float32, Uint8
from engine.detect.grey import GreyDetector
from engine.models.catalog import embedded_dir
from engine.sessions.session import SessionSpec
from trt_build.data import degradation
from trt_build.data.faces import grey_pictures, load_faces
from trt_build.data.scenes.teacher import grey_planes
from trt_build.errors import DataError
from trt_build.optional import require_from
from trt_build.recipes.data_folder import with_data_folder

TRAINING = "$FACESTREAM_DATA/data/lfw_gray/train.zip"
APART = "$FACESTREAM_DATA/data/lfw_gray/val.zip"
PICTURES = "$FACESTREAM_DATA/data/detector_faces.zip"
LEAST_CALIBRATION, _MOST_CALIBRATION = 500, 512
GATE_FACES = FULL_GATE_FACES
_SEED = 20
_FACE_PX = 144
_MARGIN, _LEAST_MARGIN = 1.5, 1.2
"""Side of a crop in sides of the face, and the least side if the picture ends earlier."""
_LEAST_FACE_PX = 87
"""Least side of a face: smaller ones, enlarged to 144 px with their margin, are not sharp."""
_SHARE_OF_ONE = 0.45
"""Least share of its side that a face fills in a square picture of one face."""
_SIDES_PX = (16, 18, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 96)


@dataclass(frozen=True)
class RealFaces:
    """Sharp faces, one in each picture."""

    images: Uint8
    """(N, 144, 144) luma."""
    points: Float32
    """(N, 5, 2) landmarks in their pixels."""
    source: str
    """Their source, in words."""

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class RealPictures:
    """Luma pictures with faces in them."""

    images: tuple[Uint8, ...]
    source: str


def small(image: Uint8, side_px: int, number: int) -> Uint8:
    """Return a face at camera size, (side_px, side_px): every other one is cleanly shrunk, the rest are degraded."""
    if number % 2:
        return degradation.first_order(image, side_px, np.random.default_rng((_SEED, number)))
    return degradation.clean(image, side_px)


def sides(scale: int, smallest_px: int, largest_px: int) -> list[int]:
    """Return sizes of small faces within a profile for which the sharp faces are large enough to be the truth."""
    known = [side for side in _SIDES_PX if smallest_px <= side <= largest_px and side * scale <= _FACE_PX]
    return known or [max(smallest_px, min(largest_px, _FACE_PX // scale))]


def calibration_faces(source: Path | None = None) -> RealFaces:
    """Return faces of the training identities, or of a given source.

    Args:
        source: a zip or folder of pictures with faces; by default the training faces of the data folder.

    Raises:
        DataError: there are none, or too few.
    """
    path = source or Path(with_data_folder(TRAINING))
    if source is None and not path.exists():
        raise DataError(
            f"int8 and fp8 need at least {LEAST_CALIBRATION} real faces to calibrate on: give --calibration a zip or folder of "
            f"pictures with faces, as '{path}' is not there."
        )
    faces = _given(path, _MOST_CALIBRATION) if source else _chosen(path, _MOST_CALIBRATION, "training identities")
    if len(faces) < LEAST_CALIBRATION:
        raise DataError(
            f"int8 and fp8 need at least {LEAST_CALIBRATION} real faces to calibrate on: '{path}' holds {len(faces)}."
        )
    return faces


def gate_faces(source: Path | None = None, count: int = GATE_FACES) -> RealFaces:
    """Return faces of people who are in no training set, or of a given source; without the data folder those in two photographs
    that come with dependencies.

    Raises:
        DataError: the given source cannot be read.
    """
    if source is not None:
        return _given(source, count)
    path = Path(with_data_folder(APART))
    return _chosen(path, count, "identities kept apart", of_gate) if path.exists() else _photographed(count)


def of_gate(name: str) -> bool:
    """Whether a picture, such as ``Person_Name/Person_Name_0001.jpg``, shows one of the gate's people: half of all, with all of
    their pictures.
    """
    return zlib.crc32(name.rsplit("/", 1)[0].encode()) % 2 == 0


def pictures_with_faces(count: int, *, calibration: bool = False) -> RealPictures:
    """Return real pictures with faces; without the data folder two photographs that come with dependencies, at several sizes.

    Args:
        count: most pictures.
        calibration: return other pictures than for the gate, without that replacement.

    Raises:
        DataError: there are none for calibration.
    """
    path = Path(with_data_folder(PICTURES))
    if path.exists():
        every = [image for _, image in grey_pictures(path, "pictures with faces")]
        order = np.random.default_rng(_SEED).permutation(len(every))
        chosen = np.sort(order[-count:] if calibration else order[:count]).tolist()
        return RealPictures(tuple(every[at] for at in chosen), f"{path.name}, seed {_SEED}")
    if calibration:
        raise DataError(
            f"int8 and fp8 need real pictures with at least {LEAST_CALIBRATION} faces to calibrate on, and '{path}' is not "
            "there: choose another precision."
        )
    found = [_scaled(image, share) for image in _photographs() for share in (1.0, 0.75, 0.5, 0.35, 0.25)]
    return RealPictures(tuple(found), "two photographs inside insightface and scikit-image, at five sizes")


def _chosen(path: Path, count: int, whose: str, belongs: Callable[[str], bool] = lambda name: True) -> RealFaces:
    """Return ``count`` faces with landmarks, drawn with a fixed seed from the pictures that ``belongs`` accepts."""
    faces = load_faces(path)
    order = np.random.default_rng(_SEED).permutation([at for at, name in enumerate(faces.names) if belongs(name)]).tolist()
    images: list[Uint8] = []
    points: list[Float32] = []
    detector = grey_detector()
    for at in order:
        if len(images) == count:
            break
        image = _scaled_to(faces.images[at], _FACE_PX)
        (found,) = detector.detect([grey_planes(image, full_range=True)])
        if len(found.boxes):
            images.append(image)
            points.append(_nearest(found, image.shape))
    if not images:
        raise DataError(f"No face is found in the pictures of '{path}'.")
    return RealFaces(np.stack(images), np.stack(points), f"{path.name} ({whose}), seed {_SEED}")


def _given(path: Path, count: int) -> RealFaces:
    """Return the first ``count`` faces found in the pictures of a zip or folder, in an order drawn with a fixed seed."""
    found: list[tuple[Uint8, Float32]] = []
    for _, picture in grey_pictures(path, "pictures with faces", seed=_SEED):
        found += _cut_out(picture)
        if len(found) >= count:
            break
    if not found:
        raise DataError(
            f"No face of at least {_LEAST_FACE_PX} px is found in the pictures of '{path}': give sharp, larger ones."
        )
    return _together(found[:count], f"{path.name} (given), seed {_SEED}")


def _photographed(count: int) -> RealFaces:
    found = [face for picture in _photographs() for face in _cut_out(picture)]
    return _together(found[:count], "two photographs inside insightface and scikit-image")


def _cut_out(picture: Uint8) -> list[tuple[Uint8, Float32]]:
    """Return the sharp faces of a picture, each (144, 144) with its (5, 2) landmarks; a square picture of one face is used
    whole.
    """
    (found,) = grey_detector().detect([grey_planes(picture, full_range=True)])
    height, width = picture.shape
    if height == width and len(found.boxes) and found.boxes[:, 2:].max() >= _SHARE_OF_ONE * width:
        points = (_nearest(found, picture.shape) + 0.5) * (_FACE_PX / width) - 0.5
        return [(_scaled_to(picture, _FACE_PX), np.asarray(points, np.float32))]
    faces = []
    for box, marks in zip(found.boxes, found.landmarks, strict=True):
        face = float(max(box[2:]))
        side = min(_MARGIN * face, height, width)
        if face < _LEAST_FACE_PX or side < _LEAST_MARGIN * face:
            continue
        middle = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])
        corner = np.clip(middle - side / 2, 0, np.array([width, height]) - side)
        ratio = _FACE_PX / side
        matrix = np.hstack([ratio * np.eye(2), -ratio * corner[:, None]])
        flags = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
        image = cv2.warpAffine(picture, matrix, (_FACE_PX, _FACE_PX), flags=flags)
        faces.append((np.asarray(image, np.uint8), np.asarray((marks - corner) * ratio, np.float32)))
    return faces


def _together(faces: Sequence[tuple[Uint8, Float32]], source: str) -> RealFaces:
    return RealFaces(np.stack([image for image, _ in faces]), np.stack([points for _, points in faces]), source)


@cache
def grey_detector() -> GreyDetector:
    return GreyDetector(SessionSpec(embedded_dir() / "grey.json", "onnxruntime"))


def _photographs() -> Sequence[Uint8]:
    for package in ("insightface", "skimage"):
        require_from(package, "measuring on photographs where no pictures are given", "sample")
    from insightface.data import get_image
    from skimage.data import astronaut

    colour = [get_image("t1", use_cache=False), np.ascontiguousarray(astronaut()[..., ::-1])]  # type: ignore[no-untyped-call]
    return [np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8) for picture in colour]


def _nearest(found: Detections, shape: tuple[int, ...]) -> Float32:
    """Return the landmarks of the face nearest to the centre."""
    centres = found.boxes[:, :2] + found.boxes[:, 2:] / 2
    at = int(np.argmin(np.linalg.norm(centres - np.array(shape[::-1]) / 2, axis=1)))
    return np.asarray(found.landmarks[at], np.float32)


def _scaled_to(image: Uint8, side: int) -> Uint8:
    how = cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_CUBIC
    return image if image.shape[0] == side else np.asarray(cv2.resize(image, (side, side), interpolation=how), np.uint8)


def _scaled(image: Uint8, share: float) -> Uint8:
    return np.asarray(cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)
