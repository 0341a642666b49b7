"""Face chips as the network sees them: sharp, or small and degraded by a simulated camera, with inaccurate landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.models.dlib_embedder import CHIP_POINTS, CHIP_PX
from engine.verify.align import similarity_transform
from trt_build.data import degradation
from trt_build.data.batches import ENDLESS
from trt_build.data.degradation import Random
from trt_build.data.dlib_faces import cut_chip
from trt_build.data.scenes.material import labelled_faces
from trt_build.data.scenes.teacher import Labelled, Teacher
from trt_build.errors import DataError
from trt_build.recipes.embedder import EmbedderRecipe, SmallSpec
from trt_build.work import Done

_PLACES = np.array(CHIP_POINTS)
_EYES = float(np.linalg.norm(_PLACES[0] - _PLACES[1]))
Matrices = NDArray[np.float64]
Batch = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True)
class ChipFaces:
    """Pictures of one face each with known landmarks."""

    images: Uint8
    """(N, S, S) luma, 0 to 255."""
    matrices: Matrices
    """(N, 2, 3) from chip pixels to picture pixels."""
    names: tuple[str, ...]
    """``PERSON/PICTURE`` of each face."""

    @cached_property
    def people(self) -> tuple[str, ...]:
        """The person of each face."""
        return tuple(name.rsplit("/", 1)[0] for name in self.names)

    def __len__(self) -> int:
        return len(self.images)

    def split(self, share: float, seed: int) -> tuple[ChipFaces, ChipFaces]:
        """Split by people: return the faces of most people, and those of a share of the people drawn by ``seed``."""
        names = sorted(set(self.people))
        apart = set(np.random.default_rng(seed).permutation(names)[: round(share * len(names))].tolist())
        which = np.array([person in apart for person in self.people])
        return self._only(np.flatnonzero(~which)), self._only(np.flatnonzero(which))

    def _only(self, indices: NDArray[np.int64]) -> ChipFaces:
        return ChipFaces(self.images[indices], self.matrices[indices], tuple(self.names[index] for index in indices))

    def sharp_chip(self, index: int) -> Uint8:
        """Return the chip of a face at full size, (150, 150)."""
        return self.chip_of(self.images[index], index)

    def small_chip(self, index: int, side_px: int) -> Uint8:
        """Return the chip of a face whose picture is shrunk by area to (side_px, side_px)."""
        return self.chip_of(degradation.clean(self.images[index], side_px), index)

    def chip_of(self, picture: Uint8, index: int) -> Uint8:
        """Return the chip of a face, cut from its picture in another size."""
        return cut_chip(picture, self.matrices[index], self.images.shape[1])


def load_chip_faces(source: Path, teacher: Path, cache: Path, done: Done) -> ChipFaces:
    """Find the landmarks of all faces; pictures in which the teacher finds no face are left out.

    Raises:
        DataError: a source is missing, cannot be read, or holds no face.
    """
    labelled, names = labelled_faces(source, Teacher(teacher), cache, done)
    kept = [(face, name) for face, name in zip(labelled, names, strict=True) if len(face.boxes)]
    if not kept:
        raise DataError(f"The teacher sees no face in '{source}'.")
    images = np.stack([face.image for face, _ in kept])
    matrices = np.stack([_matrix(face) for face, _ in kept])
    return ChipFaces(images, matrices, tuple(name for _, name in kept))


def _matrix(face: Labelled) -> Matrices:
    return similarity_transform(_PLACES, face.points[0])


class ChipBatches:
    """``batches[step]``: chips (B, 1, 150, 150) uint8, index of the face (B,), and whether it is mirrored (B,) and sharp (B,).

    A pure function of the step number.
    """

    def __init__(self, faces: ChipFaces, recipe: EmbedderRecipe) -> None:
        self._faces = faces
        self._recipe = recipe

    def __len__(self) -> int:
        return ENDLESS

    def __getitem__(self, step: int) -> Batch:
        recipe = self._recipe
        rng = np.random.default_rng((recipe.seed, step))
        first = step * recipe.batch
        indices = np.array([self._index(first + place) for place in range(recipe.batch)])
        mirrored, sharp = rng.random(recipe.batch) < 0.5, rng.random(recipe.batch) < recipe.small.sharp
        chips = [
            self._chip(int(index), bool(flip), bool(keep), rng)
            for index, flip, keep in zip(indices, mirrored, sharp, strict=True)
        ]
        return np.stack(chips)[:, None], indices, mirrored, sharp

    def _index(self, place: int) -> int:
        """Return the face at a position: each epoch shows every face once, in a new order."""
        epoch, at = divmod(place, len(self._faces))
        return int(np.random.default_rng((self._recipe.seed, 1_000_003, epoch)).permutation(len(self._faces))[at])

    def _chip(self, index: int, mirrored: bool, sharp: bool, rng: Random) -> Uint8:
        image, matrix, spec = self._faces.images[index], self._faces.matrices[index], self._recipe.small
        side = image.shape[0]
        seen = side if sharp else round(float(np.exp(rng.uniform(np.log(spec.smallest_px), np.log(spec.largest_px)))))
        small = image if sharp else _small(image, seen, spec, rng)
        matrix = matrix @ _error(matrix, 0.25 * spec.jitter if sharp else spec.jitter, side / seen, rng)
        chip = cut_chip(small, matrix, side)
        return np.ascontiguousarray(chip[:, ::-1]) if mirrored else chip


def _small(image: Uint8, side_px: int, spec: SmallSpec, rng: Random) -> Uint8:
    if rng.random() < spec.clean:
        return degradation.clean(image, side_px)
    if rng.random() < 0.75 or image.shape[0] < 1.6 * side_px:
        return degradation.first_order(image, side_px, rng)
    return degradation.second_order(image, side_px, rng)


def _error(matrix: Matrices, jitter: float, step_px: float, rng: Random) -> Matrices:
    """Return the (3, 3) matrix by which landmark errors rotate, scale and shift the chip; the errors are ``jitter`` of the eye
    distance plus a tenth of a pixel of the small picture.
    """
    chip_px = 1 / float(np.hypot(matrix[0, 0], matrix[1, 0]))
    sigma = jitter * _EYES + 0.1 * step_px * chip_px
    angle, scale = rng.normal(0, sigma / _EYES), np.exp(rng.normal(0, 0.7 * sigma / _EYES))
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]])
    middle = np.full(2, (CHIP_PX - 1) / 2)
    shift = middle - turn @ middle + rng.normal(0, 0.6 * sigma, 2)
    return np.vstack([np.column_stack([turn, shift]), [0, 0, 1]])


def as_input(chips: Uint8) -> Float32:
    """Return (N, 150, 150) as the network's input, (N, 3, 150, 150) float32."""
    return np.ascontiguousarray(np.broadcast_to(chips[:, None], (len(chips), 3, CHIP_PX, CHIP_PX)), np.float32)
