"""Fits the weights of a track's faces (``engine.verify.face_weights.FaceWeights``) to recorded tracks of known people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.contracts.frames import Float32, Uint8
from engine.verify.embedder import Embedder
from engine.verify.face_weights import USUAL_COSINE, USUAL_PX, FaceWeights
from engine.verify.open_set import crowding_of
from trt_build.data.people.photographs import Photographs, person_of
from trt_build.data.people.recording import Arrays
from trt_build.data.people.scene import Actor
from trt_build.errors import DataError

NOBODY_COSINE = 0.95
"""Cosine with the centre that is reached by 1 in 100 faces of 16 and 24 px, 3 in 1,000 of 32 px, all smears and most empty
pictures.
"""
APART_COSINE = 0.88
"""Cosine of two groups of faces that are two people: no track of one person of 16 to 48 px had such groups, and 1 in 100 sets
of four unlike photographs from 24 px on (6 at 16 px); 62 to 78 of 100 pairs of people have them.
"""
_BAD = ((8.0, 0.0, 4.0), (6.0, 0.0, 6.0), (16.0, 2.0, 3.0), (24.0, 4.0, 3.0))
"""Size in pixels, blur and noise of unrecognisable faces."""
_EACH = 80
"""Number of faces of each kind."""
_POINTS = np.array([[0.31, 0.40], [0.69, 0.40], [0.5, 0.60], [0.35, 0.78], [0.65, 0.78]], np.float32)
"""Typical landmarks in a face box, for pictures in which none can be found."""
_SETS = ((8, True), (3, True), (4, False))
"""Number of faces in a set, and whether they may be of several sizes."""
_DRAWS = 3
_STEPS = 10
_SEED = 20261129


def fit_face_weights(
    tracks: Arrays, photographs: Photographs, embedder: Embedder, crowd: Float32, ground: Callable[[int], Uint8 | None]
) -> FaceWeights:
    """Return the weights with which the fused vectors of a person's faces resemble the person's best photograph most.

    Discriminating the person from others was tried as the target, too: its weights are steeper, as good for faces of several
    sizes and worse for faces of one size.

    Args:
        tracks: of people who took no part in the embedder's training, see ``Recorder.record``.
        photographs: of the same people.
        embedder: of the tracks.
        crowd: (K, length), see ``engine.verify.open_set``.
        ground: returns pictures without faces by number, or None.

    Raises:
        DataError: there are too few tracks.
    """
    centre = unrecognisable(photographs.actors, embedder, ground)
    sets = _sets(tracks, photographs)
    if sum(len(one.faces) for one in sets) < 100:
        raise DataError("There are too few tracks to fit weights to: record more people.")
    features = _features(tracks, centre)
    best = np.array([1.0, 1.0, 0.0])
    for step in 0.7 ** np.arange(_STEPS):  # ever smaller steps: the target is flat and has a single maximum
        around = [best + step * np.array(turn) * (1.0, 0.5, 10.0) for turn in product((-1, 0, 1), repeat=3)]
        best = max(around, key=lambda powers: _likeness(powers, sets, features, tracks["face_vector"], crowd))
    size, quality, decay = (round(float(value), 2) for value in best)
    people = len({who for one in sets for who in one.own.tolist()})
    provenance = f"{sum(len(one.faces) for one in sets):,} sets of faces of {people:,} people"
    return FaceWeights(centre, size, quality, decay, NOBODY_COSINE, APART_COSINE, embedder.sha256, provenance)


def unrecognisable(actors: Sequence[Actor], embedder: Embedder, ground: Callable[[int], Uint8 | None]) -> Float32:
    """Return the mean vector of unrecognisable faces and of pictures without a face, (length,) of length 1.

    Args:
        actors: whose faces are degraded.
        embedder: of the vectors.
        ground: returns pictures without faces by number, or None.
    """
    rng = np.random.default_rng(_SEED)
    kinds = [[_ruined(actor, *bad, rng) for actor in actors[:: max(len(actors) // _EACH, 1)][:_EACH]] for bad in _BAD]
    empty = [picture for picture in map(ground, range(1, 4 * _EACH)) if picture is not None and min(picture.shape) >= 80]
    kinds.append([_corner(picture, rng) for picture in empty[:_EACH]])
    means = [
        embedder.embed([picture for picture, _ in kind], [points for _, points in kind]).mean(axis=0) for kind in kinds if kind
    ]
    total = np.sum([mean / np.linalg.norm(mean) for mean in means], axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


@dataclass(frozen=True, eq=False)
class _Sets:
    """Sets of equally many faces, each set of one person."""

    faces: NDArray[np.int64]
    """(S, K) indices of the tracks' faces."""
    vectors: Float32
    """(P, length) vector of everyone's best photograph."""
    own: NDArray[np.int64]
    """(S,) person of each set: rows of ``vectors``."""


def _sets(tracks: Arrays, photographs: Photographs) -> list[_Sets]:
    rng = np.random.default_rng(_SEED)
    best = {person: pictures[0] for person, pictures in photographs.of_people().items()}
    enrolled = {photographs.actors[at].name for at in best.values()}
    row = {person: at for at, person in enumerate(best)}
    vectors = photographs.vectors[list(best.values())]
    names = tracks["picture"][tracks["face_track"]].tolist()
    places = tracks["place_px"][tracks["face_track"]].tolist()
    result = []
    for count, is_mixed in _SETS:
        groups: dict[tuple[str, float], list[int]] = {}
        for at, (name, place) in enumerate(zip(names, places, strict=True)):
            if (person := person_of(name)) in best and name not in enrolled:
                groups.setdefault((person, 0.0 if is_mixed else place), []).append(at)
        chosen = [(one, person) for (person, _), one in sorted(groups.items()) if len(one) >= count for _ in range(_DRAWS)]
        faces = np.array([rng.permutation(one)[:count] for one, _ in chosen], np.int64).reshape(-1, count)
        own = np.array([row[person] for _, person in chosen], np.int64)
        result.append(_Sets(faces, vectors, own))
    return result


def _features(tracks: Arrays, centre: Float32) -> NDArray[np.float64]:
    """Return the features of which a weight is a product of powers, (F, 3)."""
    size = np.log(np.maximum(tracks["face_size_px"], 1.0) / USUAL_PX)
    return np.stack(
        [size, np.log(np.maximum(tracks["face_weight"], 1e-6)), USUAL_COSINE - tracks["face_vector"] @ centre], axis=1
    )


def _likeness(
    powers: NDArray[np.float64], sets: Sequence[_Sets], features: NDArray[np.float64], vectors: NDArray[Any], crowd: Float32
) -> float:
    """Return the mean resemblance of all kinds of sets with their own photograph, without the photograph's own crowding."""
    means = []
    for one in (some for some in sets if len(some.faces)):
        logs = features[one.faces] @ powers
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        fused = np.einsum("sk,skl->sl", weights, vectors[one.faces])
        fused = (fused / np.linalg.norm(fused, axis=1, keepdims=True)).astype(np.float32)
        own = np.einsum("sl,sl->s", fused, one.vectors[one.own])
        means.append(float((2 * own - crowding_of(fused, crowd)).mean()))
    return float(np.mean(means))


def _ruined(actor: Actor, size_px: float, blur_px: float, noise: float, rng: np.random.Generator) -> tuple[Uint8, Float32]:
    border = actor.luma.shape[0] // 3
    picture = cv2.copyMakeBorder(actor.luma, border, border, border, border, cv2.BORDER_REPLICATE)
    x, y, width, height = actor.box
    scale = size_px / float(np.sqrt(width * height))
    small = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.float32)
    if blur_px:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), blur_px), np.float32)
    small = np.clip(small + rng.normal(0, noise, small.shape), 0, 255)
    points = ((_POINTS * (width, height) + (x + border, y + border) + 0.5) * scale - 0.5).astype(np.float32)
    return _colour(small), points


def _corner(picture: Uint8, rng: np.random.Generator) -> tuple[Uint8, Float32]:
    size = float(rng.uniform(14, 40))
    side = round(1.8 * size)
    top, left = (int(rng.integers(0, length - side + 1)) for length in picture.shape)
    return _colour(picture[top : top + side, left : left + side]), ((_POINTS + 0.4) * size).astype(np.float32)


def _colour(luma: NDArray[Any]) -> Uint8:
    return np.asarray(cv2.cvtColor(luma.astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)
