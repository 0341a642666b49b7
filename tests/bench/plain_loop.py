"""The same job as a user would write it: one loop, ``cv2.VideoCapture``, the detector, the generator, a PUB socket."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import dlib
import numpy as np
import onnxruntime
import zmq

from tests.bench.material import Material
from tests.rtsp.clips import Clip

MARGIN = 0.4


@dataclass
class PlainResult:
    """What the loop found, to be held against the pipeline's."""

    seconds: float
    boxes: list[tuple[int, tuple[float, float, float, float]]] = field(default_factory=list)
    """(frame, (x, y, width, height)) of each face."""
    enhanced: list[np.ndarray] = field(default_factory=list)
    """The first few enhanced crops, BGR."""


def run_plain_loop(material: Material, model: Path, kept: int = 20) -> PlainResult:
    """Process the clip; libraries keep their own default threads."""
    publisher = zmq.Context.instance().socket(zmq.PUB)
    publisher.bind("tcp://127.0.0.1:*")
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    capture = cv2.VideoCapture(str(material.clip))
    detect = _detector(material, capture)
    result = PlainResult(0.0)
    start = time.perf_counter()
    for number in range(1 << 30):
        read, frame = capture.read()
        if not read:
            break
        for box in detect(frame):
            x, y, width, height = box
            left, top = max(0, int(x - MARGIN * width)), max(0, int(y - MARGIN * height))
            crop = frame[top : int(y + (1 + MARGIN) * height), left : int(x + (1 + MARGIN) * width)]
            enhanced = _enhance(session, name, crop)
            _, original_jpeg = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 92])
            _, enhanced_jpeg = cv2.imencode(".jpg", enhanced, [cv2.IMWRITE_JPEG_QUALITY, 92])
            header = json.dumps({"frame": number, "box": [float(value) for value in box]}).encode()
            publisher.send_multipart([b"face", header, enhanced_jpeg.tobytes(), original_jpeg.tobytes()])
            result.boxes.append((number, tuple(float(value) for value in box)))
            if len(result.enhanced) < kept:
                result.enhanced.append(enhanced)
    result.seconds = time.perf_counter() - start
    publisher.close(0)
    return result


def plain_streams(clip: Clip, detector: str, model: Path) -> float:
    """Return with how many cameras that send a clip the loop could keep up: its frames a second over theirs."""
    return clip.frames / run_plain_loop(Material(clip.path, detector, clip.frames), model).seconds / clip.fps


def _detector(material: Material, capture: cv2.VideoCapture):
    if material.detector != "dlib-hog":
        size = (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        yunet = cv2.FaceDetectorYN.create(material.detector, "", size, 0.6)

        def detect_yunet(frame):
            faces = yunet.detect(frame)[1]
            return [] if faces is None else faces[:, :4]

        return detect_yunet
    hog = dlib.get_frontal_face_detector()
    return lambda frame: [(r.left(), r.top(), r.width(), r.height()) for r in hog(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), 0)]


def _enhance(session: onnxruntime.InferenceSession, name: str, crop: np.ndarray) -> np.ndarray:
    ycrcb = cv2.cvtColor(crop, cv2.COLOR_BGR2YCrCb)
    luma = ycrcb[:, :, 0].astype(np.float32)[None, None] / 255
    upscaled = np.clip(session.run(None, {name: luma})[0][0, 0] * 255, 0, 255).round().astype(np.uint8)
    chroma = cv2.resize(ycrcb[:, :, 1:], upscaled.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return cv2.cvtColor(np.dstack([upscaled, chroma]), cv2.COLOR_YCrCb2BGR)
