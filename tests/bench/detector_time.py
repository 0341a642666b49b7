"""How long a detector looks at one picture, in turns on one core: python -m tests.bench.detector_time [--size 640x360]

``grey`` by each runtime that is here, YuNet by ONNX Runtime as this product runs it, and YuNet as OpenCV does. A call goes from
the planes of a picture to its faces; of OpenCV from BGR. Read the ratios.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage.data import astronaut

from engine.config import DetectConfig
from engine.detect.catalog import open_detector
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from tests.assets import SHARED

YUNET = SHARED / "models" / "face_detection_yunet_2023mar.onnx"
_FIRST = 5
"""Turns that do not count."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--yunet", type=Path, default=YUNET)
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    width, height = (int(side) for side in options.size.split("x"))
    picture = cv2.resize(cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR), (width, height), interpolation=cv2.INTER_AREA)
    calls = _calls(picture, options.yunet)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(options.turns + _FIRST):
        for name, call in calls.items():
            began = time.process_time()
            call()
            if turn >= _FIRST:
                taken[name].append(1e3 * (time.process_time() - began))
    table = Table(title=f"{options.size}, one core, {options.turns} turns, ms of the processor")
    for heading in ("detector", "least", "median", "median over YuNet's by ONNX Runtime"):
        table.add_column(heading, justify="left" if heading == "detector" else "right")
    yunet = np.median(taken["YuNet, ONNX Runtime"])
    for name, each in taken.items():
        table.add_row(name, f"{min(each):.2f}", f"{np.median(each):.2f}", f"{np.median(each) / yunet:.2f}")
    Console().print(table)


def _calls(picture: np.ndarray, yunet: Path) -> dict[str, Callable[[], object]]:
    planes = planes_from_bgr(picture, full_range=True)
    runtimes = ["onnxruntime", *(["openvino"] if find_spec("openvino") else [])]
    opened = {f"grey, {runtime}": open_detector(DetectConfig(runtime=runtime), find_model) for runtime in runtimes} | {
        "YuNet, ONNX Runtime": open_detector(DetectConfig(detector=str(yunet), runtime="onnxruntime"), find_model)
    }
    theirs = cv2.FaceDetectorYN.create(str(yunet), "", picture.shape[1::-1], 0.6)
    ours = {name: (lambda one=one: one.detect([planes])) for name, one in opened.items()}
    return {**ours, "YuNet, OpenCV": lambda: theirs.detect(picture)}


if __name__ == "__main__":
    main()
