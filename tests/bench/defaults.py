"""The main job with the detectors that need no download, in turn: how fast, and how many of the clip's true faces are found.

``python -m tests.bench.defaults``
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.config import Config, DetectConfig
from engine.config.file import load_config
from engine.detect.catalog import open_detector
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.pipeline.run import run_pipeline
from engine.sample.clip import render_sample
from engine.sample.truth import read_truth
from tests.assets import SHARED

CONSOLE = Console()
BANDS_PX = ((0, 24), (24, 32), (32, 48), (48, 1000))
SAME_FACE_IOU = 0.35
"""The truth goes from hairline to chin, boxes of detectors do not all."""
LOOKED_AT = 10
"""Every so-manieth frame is searched for the figures of faces found."""


def main() -> None:
    """Run each detector on the sample clip with everything else as by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each; medians are shown")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the clip")
    options = parser.parse_args()
    yunet = SHARED / "models" / "face_detection_yunet_2023mar.onnx"
    detectors = ["grey", "dlib-hog", *([str(yunet)] if yunet.exists() else [])]
    with tempfile.TemporaryDirectory() as folder:
        clip = render_sample(Path(folder) / "sample.mp4", options.seconds, 0)
        rates: dict[str, list[float]] = defaultdict(list)
        counted = {}
        for turn in range(options.rounds):
            for name in detectors:
                result = run_pipeline(_config(clip.video, name, Path(folder) / str(turn)))
                rates[name].append(clip.frames / result.seconds)
                counted[name] = result.counters
        table = Table(
            box=None, title=f"{clip.frames} frames of 1280x720, six people; frames of the decoder, faces and tracks of the run"
        )
        bands = [f"{low} to {high} px" if high < 1000 else f"from {low} px" for low, high in BANDS_PX]
        for heading in ("detector", "frames/s", "ratio", "faces", "tracks", *bands, "false alarms"):
            table.add_column(heading)
        for name in detectors:
            rate = statistics.median(rates[name])
            ratio = statistics.median(a / b for a, b in zip(rates[name], rates["grey"], strict=True))
            faces = counted[name]
            row = (Path(name).stem, f"{rate:.1f}", f"{ratio:.2f}", str(faces.get("faces", 0)), str(faces.get("tracks", 0)))
            table.add_row(*row, *found_of(name, clip.video, clip.truth))
        CONSOLE.print(table)


def _config(video: Path, detector: str, folder: Path) -> Config:
    sections = {"sources": [{"uri": str(video)}], "detect": {"detector": detector}}
    return load_config(None, sections | {"output": {"directory": str(folder / Path(detector).stem), "report": False}})


def found_of(detector: str, video: Path, truth_file: Path) -> list[str]:
    """Return for each of ``BANDS_PX`` how many of the true faces were found, and how many detections were none."""
    truth = read_truth(truth_file)
    hits, faces, alarms = [0] * len(BANDS_PX), [0] * len(BANDS_PX), 0
    finder = open_detector(DetectConfig(detector=detector), find_model)
    with av.open(str(video)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % LOOKED_AT:
                continue
            (found,) = finder.detect([planes_from_bgr(frame.to_ndarray(format="bgr24"))])
            everyone = [_iou(np.array(face.box), found.boxes) for face in truth.frames[index]]
            for face, overlap in zip(truth.frames[index], everyone, strict=True):
                if face.visible >= 0.9:
                    band = next(at for at, (low, high) in enumerate(BANDS_PX) if low <= face.box[2] < high)
                    faces[band] += 1
                    hits[band] += bool(len(overlap) and overlap.max() >= SAME_FACE_IOU)
            near = np.max(everyone, axis=0) if everyone else np.zeros(len(found))
            alarms += int((near < 0.3).sum()) if len(found) else 0
    finder.close()
    return [*(f"{hit} of {count}" for hit, count in zip(hits, faces, strict=True)), str(alarms)]


def _iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    shared = np.maximum(high - low, 0).prod(axis=1)
    return shared / (box[2:].prod() + others[:, 2:].prod(axis=1) - shared)


if __name__ == "__main__":
    main()
