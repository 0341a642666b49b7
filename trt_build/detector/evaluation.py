"""How a detector agrees with a teacher on whole clips that neither training nor the threshold has seen, and how fast it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from engine.contracts.frames import Detections, Planes, Uint8
from engine.detect.detector import Detector
from engine.detect.grey import GreyDetector
from engine.detect.yunet import YuNet
from trt_build.detector.material import frames_of
from trt_build.detector.scoring import Tally
from trt_build.detector.teacher import Labelled, Teacher

_TIMED = 30
Done = Callable[[str, int], None]
"""Called with the name of what is measured and how many pictures are."""


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

    Points are compared with ``Teacher.steadied`` ones; ``teacher_points`` is how far from them the teacher's own of the frame
    are, which is as near as anybody can come to a single look of the teacher.

    Args:
        model: the detector's manifest.
        teacher: a YuNet-format ONNX file, run on the same grey frames.
        clips: files.
        frames: of each clip, evenly spread.
        done: for progress.
        width_px: of the frames that both see; as recorded where None.
        roll_degrees: by which these are turned, counter-clockwise.
    """
    detector, judge = GreyDetector(model, None, "auto"), Teacher(teacher)
    everything, rows = (Tally(), Tally()), dict[str, dict[str, float]]()
    for clip in clips:
        of_clip = (Tally(), Tally())
        for number, image in enumerate(frames_of(clip, frames)):
            single = judge.label(_viewed(image, width_px, roll_degrees), full_range=False)
            truth = judge.steadied(single, full_range=False)
            for tally, teachers in (of_clip, everything):
                _count(tally, detector, truth)
                teachers.add(truth, Detections(single.boxes, np.ones(len(single.boxes), np.float32), single.points))
            done(clip.name, number + 1)
        rows[clip.name] = _row(*of_clip, detector.min_score)
    rows["all"] = _row(*everything, detector.min_score)
    detector.close()
    return rows


def time_ratio(model: Path, teacher: Path, size_px: tuple[int, int] = (640, 360)) -> dict[str, float]:
    """Return the median milliseconds of both detectors on one picture from a decoder, turn by turn, and their ratio."""
    rng = np.random.default_rng(0)
    picture = _planes(rng.integers(16, 236, size_px[::-1], dtype=np.uint8))
    ours: Detector = GreyDetector(model, None, "onnxruntime")
    theirs: Detector = YuNet(teacher, None, "onnxruntime", "teacher", "")
    seconds: dict[str, list[float]] = {"ours_ms": [], "teacher_ms": []}
    for _ in range(_TIMED):
        for name, detector in (("ours_ms", ours), ("teacher_ms", theirs)):
            start = time.perf_counter()
            detector.detect([picture])
            seconds[name].append(time.perf_counter() - start)
    medians = {name: 1000 * float(np.median(values)) for name, values in seconds.items()}
    return medians | {"ratio": medians["ours_ms"] / medians["teacher_ms"]}


def _viewed(image: Uint8, width_px: int | None, roll_degrees: float) -> Uint8:
    if width_px is not None:
        size = (width_px, round(image.shape[0] * width_px / image.shape[1]))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    if roll_degrees:
        middle = ((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2)
        matrix = cv2.getRotationMatrix2D(middle, roll_degrees, 1.0)
        image = np.asarray(cv2.warpAffine(image, matrix, image.shape[::-1], borderMode=cv2.BORDER_REPLICATE), np.uint8)
    return image


def _count(tally: Tally, detector: Detector, truth: Labelled) -> None:
    (found,) = detector.detect([_planes(truth.image)])
    tally.add(truth, found)


def _planes(luma: Uint8) -> Planes:
    height, width = luma.shape
    grey = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    return Planes(luma, grey, grey)


def _row(tally: Tally, teachers: Tally, threshold: float) -> dict[str, float]:
    row = {"faces": float(len(tally.labelled)), "empty": float(tally.empty)} | tally.figures(threshold)
    return row | {"teacher_points": teachers.figures(0)["points"]}
