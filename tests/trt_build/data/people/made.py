"""People without photographs: vectors around one of their own."""

from __future__ import annotations

import numpy as np

from trt_build.data.people.group_pictures import GroupFaces
from trt_build.data.people.photographs import Photographs
from trt_build.data.people.recording import Arrays
from trt_build.data.people.scene import Actor

LENGTH = 32


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def people(count: int, pictures: int, seed: int, spread: float = 0.5) -> Photographs:
    """Return so many pictures of each of so many people; the first is the best."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal((count, 1, LENGTH))
    rows = unit(own + spread * rng.standard_normal((count, pictures, LENGTH))).reshape(-1, LENGTH)
    blank = np.zeros((4, 4), np.uint8)
    actors = [Actor(f"p{at:04d}/{number}", blank, (0, 0, 4, 4)) for at in range(count) for number in range(pictures)]
    return Photographs(actors, rows, np.tile(np.linspace(1, 0.5, pictures, dtype=np.float32), count))


def group_faces(pictures: int, seed: int, alike: float = 0.0) -> GroupFaces:
    """Return eight people in each of so many pictures, who are ``alike`` by what their picture has in common."""
    rng = np.random.default_rng(seed)
    common = np.repeat(rng.standard_normal((pictures, 1, LENGTH)), 8, axis=1)
    rows = unit(rng.standard_normal((pictures, 8, LENGTH)) + alike * common).reshape(-1, LENGTH)
    picture = np.repeat(np.arange(pictures), 8)
    yes = np.ones(len(rows), np.bool_)
    sizes, boxes = np.full(len(rows), 40.0), np.zeros((len(rows), 4), np.float32)
    return GroupFaces(rows, sizes, picture, picture % 2, picture.astype(np.str_), boxes, yes, yes)


def tracks(photographs: Photographs, size_px: float, seed: int, spread: float) -> Arrays:
    """Return one track of two faces of each photograph, each further from it the larger ``spread``."""
    rng = np.random.default_rng(seed)
    count = len(photographs.actors)
    vectors = unit(photographs.vectors + spread / np.sqrt(LENGTH) * rng.standard_normal((count, LENGTH)))
    return {
        "picture": np.array([one.name for one in photographs.actors]),
        "place_px": np.full(count, size_px, np.float32),
        "vector": vectors,
        "face_vector": np.repeat(vectors, 2, axis=0),
        "face_track": np.repeat(np.arange(count), 2),
        "face_weight": np.tile(np.float32([1.0, 3.0]), count),
        "face_size_px": np.tile(np.float32([size_px - 4, size_px]), count),
    }
