"""Frames of a zip of clips, labelled by the teacher at several scales."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from engine.contracts.frames import Float32, Uint8
from trt_build.array_files import key_of, write_arrays
from trt_build.data.clips import frames_of, step_of
from trt_build.data.scenes.geometry import overlaps, resized
from trt_build.data.scenes.looked_at import WORDS, Rows, put_right, verdicts
from trt_build.data.scenes.packed import packed, unpacked
from trt_build.data.scenes.teacher import Labelled, Teacher, expand
from trt_build.errors import DataError
from trt_build.recipes.detector import ClipsSpec
from trt_build.work import Done

LABEL_SCALES = (0.5, 1.0, 1.6, 2.2)
_LONGEST_PX = 2200
_SAME_IOU = 0.3
"""Least IoU of boxes of one face at two scales."""


def clips_in(archive: Path, folder: Path) -> Iterator[Path]:
    """Extract the clips of a zip into ``folder``, one after the other.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for name in sorted(opened.namelist()):
                if PurePosixPath(name).suffix.lower() in (".mp4", ".ts", ".mkv", ".avi", ".webm"):
                    yield Path(opened.extract(name, folder))
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"The clips '{archive}' cannot be read: {error}.") from None


def labelled_clips(spec: ClipsSpec, teacher: Teacher, cache: Path, done: Done, *, apart: bool) -> list[Labelled]:
    """Return frames of clips in full range; the teacher's labels are cached in ``cache``, and corrected by inspection.

    Args:
        spec: names the clips.
        teacher: labels the frames at several scales.
        cache: folder.
        done: for progress.
        apart: return the clips kept apart for validation, with their table, otherwise those for training, with theirs.

    Raises:
        DataError: the clips or the table of inspected boxes cannot be read, or the table names a clip of the other side.
    """
    if not spec.archive:
        return []
    archive, verdict = Path(spec.archive), _seen(spec, apart=apart)
    if not archive.exists():
        raise DataError(f"The clips '{archive}' do not exist.")
    found: list[Labelled] = []
    with tempfile.TemporaryDirectory() as folder:
        clips = [clip for clip in clips_in(archive, Path(folder)) if spec.keeps_apart(clip.name) == apart]
        for number, clip in enumerate(clips):
            kept = cache / f"clip-{key_of(archive)}-{spec.frames_per_clip}-{clip.stem}.npz"
            if not kept.exists():
                frames = [look_at_scales(expand(one), teacher) for one in frames_of(clip, spec.frames_per_clip)]
                write_arrays(kept, packed(frames))
            with np.load(kept) as stored:
                frames = list(unpacked(stored))
            step = step_of(clip, spec.frames_per_clip)
            for at, frame in enumerate(frames):
                faces, doubtful, none = (verdict[word].get(f"{clip.name}#{at * step}", []) for word in WORDS)
                frames[at] = put_right(frame, none, doubtful, faces)
            found += frames
            done("clips", number + 1, len(clips))
    return found


def _seen(spec: ClipsSpec, *, apart: bool) -> dict[str, Rows]:
    """Return the verdicts on one side's clips; verdicts on clips of the other side are refused, so that none is trained on."""
    table = spec.looked_at_apart if apart else spec.looked_at
    found = verdicts(table)
    for name in sorted(file.partition("#")[0] for rows in found.values() for file in rows):
        if spec.keeps_apart(name) != apart:
            side, right = ("to learn from", "looked_at") if apart else ("kept apart", "looked_at_apart")
            raise DataError(f"The table '{table}' holds boxes of '{name}', a clip {side}: put them into clips.{right}.")
    return found


def look_at_scales(image: Uint8, teacher: Teacher) -> Labelled:
    """Return a full-range picture with the teacher's faces at several scales, each with its best score."""
    boxes, scores, points = [], [], []
    for scale in LABEL_SCALES:
        if scale > 1 and scale * max(image.shape) > _LONGEST_PX:
            continue
        seen = teacher.scored(resized(image, scale))
        boxes.append(seen.boxes / np.float32(scale))
        points.append(seen.landmarks / np.float32(scale))
        scores.append(seen.scores)
    return best_of(image, np.concatenate(boxes), np.concatenate(scores), np.concatenate(points))


def best_of(image: Uint8, boxes: Float32, scores: Float32, points: Float32) -> Labelled:
    """Return one box for each face, the one with the best score of those that overlap; below 0.6 it is doubtful."""
    order = np.argsort(-scores)
    overlap = overlaps(boxes[order], boxes[order])
    first = order[[at for at in range(len(order)) if not (overlap[at, :at] >= _SAME_IOU).any()]] if len(order) else order
    sure = scores[first] >= 0.6
    return Labelled(image, boxes[first[sure]], points[first[sure]], boxes[first[~sure]])
