"""Faces between detections, against rendered people whose boxes are known: nobody looks, held still, at even speed, carried.

``python -m tests.bench.carrying`` detects once on every frame of its clips, and then uses every n-th detection alone.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from engine.config import DetectConfig
from engine.contracts.frames import Float32, Frame, TrackedFace
from engine.detect.catalog import open_detector
from engine.models import find_model
from engine.track.carry import Carrier
from tests.assets import SHARED
from tests.bench.people_clips import Backgrounds, Box, Clip, Faces
from tests.bench.people_scenes import KINDS

_SAME, _NEAR, _VISIBLE = 0.4, 0.05, 0.7
Placed = Iterator[Float32]
"""(N, 4) for each frame."""


def main() -> None:
    """Render, detect once, and fill in between."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=3, help="of each kind")
    parser.add_argument("--kinds", nargs="*", default=["walks", "crossing"])
    parser.add_argument("--steps", type=int, nargs="*", default=[2, 3, 5])
    parser.add_argument("--detector", default="auto")
    options = parser.parse_args()
    faces = Faces(SHARED / "data" / "lfw_gray" / "val.zip")
    backgrounds = Backgrounds(SHARED / "data" / "detector_negatives.zip")
    detector = open_detector(DetectConfig(detector=options.detector), find_model)
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kind in options.kinds:
        for number in range(options.clips):
            clip = KINDS[kind](faces, backgrounds, np.random.default_rng([3, number]))
            found = [detector.detect([planes])[0].boxes for planes in clip.planes]
            score(sums["on every frame"], clip, found)
            for step in options.steps:
                for name, fill in FILLS.items():
                    score(sums[f"on every {step}., {name}"], clip, fill(clip, found, step))
    for name, counts in sums.items():
        recall, overlap = counts["right"] / counts["true"], counts["overlap"] / max(1, counts["right"]) / 1e6
        print(f"{name:24s} found {recall:.4f} of {counts['true']}, IoU {overlap:.4f}, false {counts['false']}")  # noqa: T201


def nobody(clip: Clip, found: list[Float32], step: int) -> Placed:
    """Nothing between detections."""
    return (boxes if index % step == 0 else boxes[:0] for index, boxes in enumerate(found))


def held(clip: Clip, found: list[Float32], step: int) -> Placed:
    """Where they were."""
    return (found[index - index % step] for index in range(len(found)))


def even(clip: Clip, found: list[Float32], step: int) -> Placed:
    """As from the last but one to the last detection."""
    for index in range(len(found)):
        last = index - index % step
        boxes, before = found[last], found[last - step] if last >= step else found[0][:0]
        came_from = dict(pairs(boxes, before, _NEAR))
        moved = [
            box + (box - before[came_from[n]]) * (index - last) / step if n in came_from else box for n, box in enumerate(boxes)
        ]
        yield np.array(moved, np.float32).reshape(-1, 4)


def carried(clip: Clip, found: list[Float32], step: int) -> Placed:
    """By motion vectors, as with ``decode.motion``."""
    carrier = Carrier()
    for (time, planes), boxes in zip(clip.times(), found, strict=True):
        frame = Frame("bench", time, planes)
        if time.frame_index % step == 0:
            carrier.found(frame, [TrackedFace(n, box, None, 1.0) for n, box in enumerate(boxes)])
            yield boxes
        else:
            yield np.array([face.box for face in carrier.carry(frame)], np.float32).reshape(-1, 4)


FILLS: dict[str, Callable[[Clip, list[Float32], int], Placed]] = {
    "nobody": nobody,
    "held": held,
    "even speed": even,
    "carried": carried,
}


def score(counts: Counter[str], clip: Clip, placed: Iterator[Float32] | list[Float32]) -> None:
    """Count what lies on a visible face, and what lies on none."""
    for truth, boxes in zip(clip.truth, placed, strict=True):
        visible, anybody = _boxes(box for box in truth if box.visible > _VISIBLE), _boxes(truth)
        right = pairs(visible, boxes, _SAME)
        counts["true"] += len(visible)
        counts["right"] += len(right)
        counts["overlap"] += sum(round(1e6 * float(overlaps(visible[[a]], boxes[[b]])[0, 0])) for a, b in right)
        counts["false"] += len(boxes) - len(pairs(anybody, boxes, _NEAR))


def pairs(left: Float32, right: Float32, least: float) -> list[tuple[int, int]]:
    """Return which boxes belong together, best overlap first."""
    found: list[tuple[int, int]] = []
    if not len(left) or not len(right):
        return found
    shares = overlaps(left, right)
    while shares.max() >= least:
        a, b = np.unravel_index(int(shares.argmax()), shares.shape)
        found.append((int(a), int(b)))
        shares[a], shares[:, b] = -1, -1
    return found


def overlaps(left: Float32, right: Float32) -> Float32:
    """Return the IoU of each with each, (len(left), len(right))."""
    a, b = left[:, None], right[None]
    sides = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.clip(sides, 0, None).prod(axis=-1)
    return np.asarray(common / (a[..., 2:].prod(axis=-1) + b[..., 2:].prod(axis=-1) - common), np.float32)


def _boxes(boxes: Iterator[Box] | list[Box]) -> Float32:
    return np.array([box.box for box in boxes], np.float32).reshape(-1, 4)


if __name__ == "__main__":
    main()
