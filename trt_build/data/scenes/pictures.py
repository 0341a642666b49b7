"""Reads real pictures with given and teacher's boxes, and pictures without faces: zips of ``images/`` and tables.

``manifest.csv`` names the ``source_repository`` and ``source_path`` of each file. Zips with faces also hold ``teacher.csv``
(every box of a teacher with a score above 0.3 at several scales, and its five points) and ``boxes.csv`` (boxes that came with
the pictures).
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.contracts.frames import Uint8
from trt_build.array_files import key_of, write_array, write_arrays
from trt_build.data.faces import grey_pictures
from trt_build.data.scenes.geometry import overlaps
from trt_build.data.scenes.looked_at import WORDS, Row, boxes_of, by_file, put_right, rows_of, verdicts
from trt_build.data.scenes.teacher import SURE, Labelled
from trt_build.errors import DataError
from trt_build.recipes.detector import ClipsSpec, MaterialSpec
from trt_build.work import Done

_TENTH = 10
_SAME_IOU, _TOUCHED_IOU = 0.35, 0.3
"""Least IoU of a teacher's box and a given face, and of two teacher's boxes of one face."""
_LEAST_PX = 8.0
"""Least width at which a face can be told from anything else."""
_POINTS = [f"{part}_{axis}" for part in ("re", "le", "nose", "rm", "lm") for axis in "xy"]


@dataclass(frozen=True)
class Picture:
    """One picture and its source."""

    name: str
    source: str
    """Repository and path; frames of a clip share it up to ``#``."""
    labelled: Labelled
    """Labels; unknown points are NaN."""


def both_sides(archive: str, spec: MaterialSpec, cache: Path, done: Done) -> tuple[list[Picture], list[Picture]]:
    """Return training and validation pictures of one of a recipe's zips, see ``read_pictures`` and ``split``.

    Frames of clips that are kept apart are not used for training.
    """
    read = read_pictures(Path(archive), cache, done, spec.no_faces, spec.looked_at)
    training, validation = split(read, spec.validation_sources)
    return [one for one in training if not (spec.clips.archive and _is_of_a_clip_apart(one, spec.clips))], validation


def _is_of_a_clip_apart(picture: Picture, spec: ClipsSpec) -> bool:
    """Tell whether a picture belongs to a clip that is kept apart, by the clip's name in a zip of clips."""
    repository, _, file = picture.source.rpartition("/")
    clip = f"surv_{file}" if repository.endswith("surv-dataset") else f"{repository.split('/')[0].rstrip('s')}_{file}"
    return file.endswith((".mp4", ".ts")) and spec.keeps_apart(clip)


def read_pictures(archive: Path, cache: Path, done: Done, no_faces: str = "", looked_at: str = "") -> list[Picture]:
    """Return all pictures of a zip; decoded pixels are cached in ``cache`` and memory-mapped.

    Args:
        archive: the zip.
        cache: folder.
        done: for progress.
        no_faces: table of boxes (file, x, y, w, h) that are not faces although the zip says so; empty: no table.
        looked_at: table of inspected boxes (the same columns, and ``is``): a ``face`` that is unsure or missing in the zip,
            ``doubtful``, or ``none``, whatever the zip says; empty: no table.

    Raises:
        DataError: the zip, one of its tables, ``no_faces`` or ``looked_at`` is missing or cannot be read.
    """
    tables, wrong = _tables(archive), by_file(rows_of(Path(no_faces))) if no_faces else {}
    verdict = verdicts(looked_at)
    images = _pixels(archive, cache, done)
    given, seen = by_file(tables.get("boxes.csv", [])), by_file(tables.get("teacher.csv", []))
    sources = {
        row["file"]: f"{row['source_repository']}/{row['source_path'].partition('#')[0]}" for row in tables["manifest.csv"]
    }
    pictures = []
    for name, image in images.items():
        faces, doubtful, none = (verdict[word].get(name, []) for word in WORDS)
        labelled = merged(image, [*given.get(name, []), *faces], seen.get(name, []))
        labelled = put_right(labelled, [*wrong.get(name, []), *none], doubtful)
        pictures.append(Picture(name, sources.get(name, name), labelled))
    return pictures


def split(pictures: Iterable[Picture], whole: tuple[str, ...]) -> tuple[list[Picture], list[Picture]]:
    """Return training and validation pictures.

    Sources that start with one of ``whole``, and a tenth of all other sources (whole clips, not single frames), are for
    validation.
    """
    sides: tuple[list[Picture], list[Picture]] = ([], [])
    for picture in pictures:
        aside = picture.source.startswith(whole) if whole else False
        sides[aside or zlib.crc32(picture.source.encode()) % _TENTH == 0].append(picture)
    return sides


def merged(image: Uint8, given: list[Row], seen: list[Row]) -> Labelled:
    """Return a picture with one box for each face.

    A given face that the teacher finds, with any score, gets the teacher's box and points; one that only the teacher finds is a
    face from a score of 0.6, and doubtful below. Of several boxes on one face the best is used. A face of a few pixels is
    doubtful, too: nobody can tell that it is a face.
    """
    seen = sorted(seen, key=lambda row: -float(row["score"]))
    boxes = boxes_of(seen)
    overlap = overlaps(boxes, boxes)
    first = [at for at in range(len(seen)) if not (overlap[at, :at] >= _TOUCHED_IOU).any()]
    boxes, seen = boxes[first], [seen[at] for at in first]
    points = np.array([[float(row[key]) for key in _POINTS] for row in seen], np.float32).reshape(-1, 5, 2)
    sure = np.array([float(row["score"]) >= SURE for row in seen], bool)
    known = boxes_of(given)
    shared = overlaps(known, boxes)
    if shared.size:
        sure |= shared.max(axis=0) >= _SAME_IOU
    alone = known[shared.max(axis=1) < _SAME_IOU] if shared.size else known
    nowhere = np.full((len(alone), 5, 2), np.nan, np.float32)
    faces, places = np.concatenate([boxes[sure], alone]), np.concatenate([points[sure], nowhere])
    tiny = faces[:, 2] < _LEAST_PX
    return Labelled(image, faces[~tiny], places[~tiny], np.concatenate([boxes[~sure], faces[tiny]]))


def _tables(archive: Path) -> dict[str, list[Row]]:
    if not archive.is_file():
        raise DataError(f"The pictures '{archive}' do not exist.")
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.endswith(".csv")]
            tables = {name: list(csv.DictReader(io.StringIO(opened.read(name).decode()))) for name in names}
    except (zipfile.BadZipFile, zlib.error, OSError, UnicodeDecodeError) as error:
        raise DataError(f"The pictures '{archive}' cannot be read: {error}.") from None
    if "manifest.csv" not in tables:
        raise DataError(f"'{archive}' has no manifest.csv: it must name each picture's source.")
    return tables


def _pixels(archive: Path, cache: Path, done: Done) -> dict[str, Uint8]:
    key = key_of(archive)
    pixels, index = cache / f"pictures-{key}.npy", cache / f"pictures-{key}.npz"
    if not (pixels.exists() and index.exists()):
        names, images = [], []
        for name, image in grey_pictures(archive, "pictures"):
            names.append(name.rpartition("/")[2])
            images.append(image)
            done(archive.name, len(names), 0)
        write_arrays(index, {"names": np.array(names), "shapes": np.array([image.shape for image in images], np.int64)})
        write_array(pixels, np.concatenate([image.ravel() for image in images]))
    stored = np.load(pixels, mmap_mode="r")
    with np.load(index) as known:
        names, shapes = known["names"].tolist(), known["shapes"]
    ends = np.cumsum(shapes.prod(axis=1))
    return {name: stored[end - h * w : end].reshape(h, w) for name, end, (h, w) in zip(names, ends, shapes, strict=True)}
