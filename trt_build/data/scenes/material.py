"""The material of scenes: faces, photographs and footage, labelled once by a teacher on the same grey pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from engine.contracts.frames import Uint8
from trt_build.array_files import key_of, write_arrays
from trt_build.data.clips import frames_of
from trt_build.data.faces import grey_pictures, load_faces, names_of
from trt_build.data.scenes.clips import labelled_clips
from trt_build.data.scenes.packed import packed, unpacked
from trt_build.data.scenes.pictures import both_sides
from trt_build.data.scenes.teacher import Labelled, Teacher
from trt_build.errors import DataError
from trt_build.recipes.detector import MaterialSpec
from trt_build.work import Done

_BORDER_PX = 48
"""Border added around a face picture, which is cropped too tightly for a detector."""
_LABELS = "steadied"
"""Version of the labelling; part of the cache key of labels."""


@dataclass(frozen=True)
class Material:
    """The material of one side of the split."""

    faces: list[Labelled]
    """Pictures of one face each."""
    backgrounds: list[Uint8]
    """Photographs without a face, and frames of footage without one."""
    frames: list[Labelled]
    """Frames of footage with faces, and photographs with faces."""
    pictures: list[Labelled] = field(default_factory=list)
    """Real pictures with faces."""
    negatives: list[Labelled] = field(default_factory=list)
    """Real pictures without a face."""
    clips: list[Labelled] = field(default_factory=list)
    """Frames of a zip of clips, with faces."""


def prepare(spec: MaterialSpec, cache: Path, done: Done) -> tuple[Material, Material]:
    """Return training and validation material; labels are cached in ``cache``.

    Raises:
        DataError: a source is missing or cannot be read.
    """
    teacher = Teacher(Path(spec.teacher))
    photographs = _photographs(Path(spec.backgrounds), teacher, cache, done)
    every = max(2, len(photographs) // spec.validation_backgrounds)
    real = [_real(archive, spec, cache, done) for archive in (spec.pictures, spec.negatives)]
    filmed = labelled_clips(spec.clips, teacher, cache, done, apart=False)
    real[1][0].extend(frame for frame in filmed if frame.is_empty)
    sides = []
    for number, (faces, clips) in enumerate(((spec.faces, spec.footage), (spec.validation_faces, spec.validation_footage))):
        frames = []
        for clip in clips:
            read = partial(frames_of, count=spec.frames_per_clip)
            frames += _cached(cache, teacher, f"frames {spec.frames_per_clip}", Path(clip), read, False, done)
        photos = [photo for at, photo in enumerate(photographs) if (at % every == every - 1) == bool(number)]
        frames += [photo for photo in photos if not photo.is_empty]
        empty = [one.image for one in (*photos, *frames) if one.is_empty]
        pictures, _ = labelled_faces(Path(faces), teacher, cache, done)
        seen = [one for one in pictures if len(one.boxes)]
        if not seen:
            raise DataError(f"The teacher sees no face in '{faces}'.")
        sides.append(Material(seen, empty, frames, *(both[number] for both in real)))
    return replace(sides[0], clips=[frame for frame in filmed if len(frame.boxes)]), sides[1]


def _real(archive: str, spec: MaterialSpec, cache: Path, done: Done) -> tuple[list[Labelled], list[Labelled]]:
    if not archive:
        return [], []
    training, validation = both_sides(archive, spec, cache, done)
    return [one.labelled for one in training], [one.labelled for one in validation]


def labelled_faces(source: Path, teacher: Teacher, cache: Path, done: Done) -> tuple[list[Labelled], tuple[str, ...]]:
    """Return all pictures of faces, each with at most one face, and their names.

    Raises:
        DataError: the source is missing, cannot be read, or holds no picture.
    """
    labelled = _cached(cache, teacher, "faces", source, _faces, True, done)
    return labelled, names_of(source)


def _faces(source: Path) -> Iterator[Uint8]:
    for image in load_faces(source).images:
        yield np.pad(image, _BORDER_PX, mode="edge")


def _photographs(source: Path, teacher: Teacher, cache: Path, done: Done) -> list[Labelled]:
    return _cached(cache, teacher, "photographs", source, _pictures, True, done)


def _pictures(source: Path) -> Iterator[Uint8]:
    for _, image in grey_pictures(source, "pictures"):
        yield image


def _cached(
    cache: Path,
    teacher: Teacher,
    kind: str,
    source: Path,
    read: Callable[[Path], Iterator[Uint8]],
    full_range: bool,
    done: Done,
) -> list[Labelled]:
    """Label the pictures from ``read``, or take the labels from the cache."""
    if not source.exists():
        raise DataError(f"'{source}' does not exist.")
    key = hashlib.sha256(f"{_LABELS}:{kind}:{key_of(source)}".encode()).hexdigest()[:12]
    path = cache / f"{kind.split()[0]}-{key}.npz"
    if not path.exists():
        pictures = list(read(source))
        if not pictures:
            raise DataError(f"There is no picture in '{source}'.")
        labelled = []
        for number, image in enumerate(pictures):
            found = teacher.steadied(teacher.label(image, full_range=full_range), full_range=full_range)
            labelled.append(_middle_face(found) if kind == "faces" else found)
            done(f"{kind.split()[0]} of {source.name}", number + 1, len(pictures))
        write_arrays(path, packed(labelled))
    with np.load(path) as stored:
        return list(unpacked(stored))


def _middle_face(found: Labelled) -> Labelled:
    """Keep the face nearest to the centre, and remove the border again."""
    image = np.ascontiguousarray(found.image[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX])
    if not len(found.boxes):
        return Labelled(image)
    middle = found.boxes[:, :2] + found.boxes[:, 2:] / 2 - np.array(found.image.shape[::-1]) / 2
    best = int(np.argmin((middle**2).sum(axis=1)))
    shift = np.array([_BORDER_PX, _BORDER_PX, 0, 0], np.float32)
    return Labelled(image, found.boxes[best : best + 1] - shift, found.points[best : best + 1] - np.float32(_BORDER_PX))
