"""Measures how a detector agrees with a teacher on whole clips used neither for training nor for the threshold,
and its speed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.frames import Detections, Uint8
from engine.detect.detector import Detector
from engine.detect.grey import GreyDetector
from engine.detect.yunet import YuNet
from engine.sessions.session import SessionSpec
from trt_build.data.clips import frames_of
from trt_build.data.scenes.geometry import Matrix, moved_boxes, moved_points, overlaps, turn_about
from trt_build.data.scenes.teacher import Labelled, Teacher, grey_planes
from trt_build.systems.detector.scoring import MATCH_IOU, Tally

_TIMED, _TIMED_SIZE_PX = 30, (640, 360)
Done = Callable[[str, int], None]
"""Called with the name of what is measured and the number of pictures done."""


def evaluate_clips(
    model: Path,
    teacher: Path,
    clips: Iterable[Path],
    frames: int,
    done: Done,
    *,
    width_px: int | None = None,
    roll_degrees: float = 0.0,
) -> dict[str, dict[str, float]]:
    """Return for each clip, and for all together, the figures of ``Tally.figures`` at the model's own threshold.

    YuNet does not rotate its points with a rotated face: the reference points of rotated frames are those of the upright frame,
    rotated.

    Points are compared with ``Teacher.steadied`` ones; ``teacher_points`` is the distance of the teacher's own points from
    them, the best that can be reached against a single view of the teacher.

    Args:
        model: the detector's manifest.
        teacher: a YuNet-format ONNX file, run on the same grey frames.
        clips: files.
        frames: number of evenly spaced frames of each clip.
        done: for progress.
        width_px: width of the frames for both; None: as recorded.
        roll_degrees: counter-clockwise rotation of the frames.
    """
    detector, judge = GreyDetector(SessionSpec(model, "onnxruntime")), Teacher(teacher)
    everything, rows = (Tally(), Tally()), dict[str, dict[str, float]]()
    for clip in clips:
        of_clip = (Tally(), Tally())
        for number, image in enumerate(frames_of(clip, frames)):
            upright = _shrunk(image, width_px)
            matrix = _turn(upright, roll_degrees)
            single = judge.label(_turned(upright, matrix), full_range=False)
            truth = _steadied(judge, single, upright, matrix)
            (found,) = detector.detect([grey_planes(truth.image, full_range=False)])
            itself = Detections(single.boxes, np.ones(len(single.boxes), np.float32), single.points)
            for tally, teachers in (of_clip, everything):
                tally.add(truth, found)
                teachers.add(truth, itself)
            done(clip.name, number + 1)
        rows[clip.name] = _row(*of_clip, detector.min_score)
    rows["all"] = _row(*everything, detector.min_score)
    detector.close()
    return rows


def time_ratio(model: Path, teacher: Path) -> dict[str, float]:
    """Return the median milliseconds of both detectors on one decoded picture, run alternately, and their ratio."""
    rng = np.random.default_rng(0)
    picture = grey_planes(rng.integers(16, 236, _TIMED_SIZE_PX[::-1], dtype=np.uint8), full_range=False)
    ours: Detector = GreyDetector(SessionSpec(model, "onnxruntime"))
    theirs: Detector = YuNet(SessionSpec(teacher, "onnxruntime"), None, "teacher", "")
    seconds: dict[str, list[float]] = {"ours_ms": [], "teacher_ms": []}
    for _ in range(_TIMED):
        for name, detector in (("ours_ms", ours), ("teacher_ms", theirs)):
            start = time.perf_counter()
            detector.detect([picture])
            seconds[name].append(time.perf_counter() - start)
    medians = {name: 1000 * float(np.median(values)) for name, values in seconds.items()}
    return medians | {"ratio": medians["ours_ms"] / medians["teacher_ms"]}


def _shrunk(image: Uint8, width_px: int | None) -> Uint8:
    if width_px is None:
        return image
    size = (width_px, round(image.shape[0] * width_px / image.shape[1]))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _turn(image: Uint8, roll_degrees: float) -> Matrix | None:
    """Return the (2, 3) matrix that rotates a picture counter-clockwise about its centre; None: no rotation."""
    if not roll_degrees:
        return None
    middle = (np.array(image.shape[::-1]) - 1) / 2
    return turn_about(middle, middle, 1.0, roll_degrees)


def _turned(image: Uint8, matrix: Matrix | None) -> Uint8:
    if matrix is None:
        return image
    return np.asarray(cv2.warpAffine(image, matrix, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _steadied(judge: Teacher, single: Labelled, upright: Uint8, matrix: Matrix | None) -> Labelled:
    """Return the labels of a view with steadied points; faces found only in the rotated view have none."""
    if matrix is None:
        return judge.steadied(single, full_range=False)
    known = judge.steadied(judge.label(upright, full_range=False), full_range=False)
    overlap = overlaps(single.boxes, moved_boxes(known.boxes, matrix, 1.0))
    points = np.full_like(single.points, np.nan)
    for index, row in enumerate(overlap):
        if len(row) and row.max() >= MATCH_IOU:
            points[index] = moved_points(known.points[row.argmax()], matrix)
    return replace(single, points=points)


def _row(tally: Tally, teachers: Tally, threshold: float) -> dict[str, float]:
    row = {"faces": float(len(tally.labelled)), "empty": float(tally.empty)} | tally.figures(threshold)
    return row | {"teacher_points": teachers.figures(0)["points"]}
