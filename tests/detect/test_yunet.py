"""YuNet on our session finds what OpenCV's FaceDetectorYN finds, on real footage and on adversarial outputs."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from insightface.data import get_image

from engine.contracts.frames import Detections, Planes
from engine.contracts.manifest import sha256_of
from engine.detect.nested import without_nested
from engine.detect.yunet import YuNet
from engine.errors import InferenceError, ModelError
from engine.pictures.colour import bgr_from_planes, planes_from_bgr
from engine.sessions.session import SessionSpec
from tests.assets import shared
from tests.onnx_models import doubling_model, yunet_model
from tests.real_footage import frames
from tests.together import run_together

MODEL = "models/face_detection_yunet_2023mar.onnx"
CLIPS = [
    "one-by-one-person-detection.mp4",
    *(f"asl_{word}.mkv" for word in ["again", "book", "brother", "eat", "help", "hungry"]),
]


def open_yunet(path: Path, min_score: float | None = None) -> YuNet:
    return YuNet(SessionSpec(path, "onnxruntime"), min_score, "yunet", "MIT")


def opencv(path: Path, image: np.ndarray, min_score: float = 0.6) -> Detections:
    detector = cv2.FaceDetectorYN.create(str(path), "", (image.shape[1], image.shape[0]), min_score, 0.3, 5000)
    found = detector.detect(image)[1]
    if found is None:
        return Detections.empty()
    return Detections(found[:, :4], found[:, 14], found[:, 4:14].reshape(-1, 5, 2))


def matched(ours: Detections, theirs: Detections) -> int:
    """How many of ours overlap one of theirs with an IoU of at least 0.9."""
    low = np.maximum(ours.boxes[:, None, :2], theirs.boxes[None, :, :2])
    ours_high, their_high = ours.boxes[:, :2] + ours.boxes[:, 2:], theirs.boxes[:, :2] + theirs.boxes[:, 2:]
    high = np.minimum(ours_high[:, None], their_high[None])
    both = np.maximum(high - low, 0).prod(axis=2)
    either = ours.boxes[:, 2:].prod(axis=1)[:, None] + theirs.boxes[:, 2:].prod(axis=1)[None] - both
    return int((both >= 0.9 * either).any(axis=1).sum())


def same(ours: Detections, theirs: Detections) -> None:
    order = np.lexsort((ours.boxes[:, 0], -ours.scores.round(4)))
    their_order = np.lexsort((theirs.boxes[:, 0], -theirs.scores.round(4)))
    np.testing.assert_allclose(ours.boxes[order], theirs.boxes[their_order], atol=0.05)
    np.testing.assert_allclose(ours.scores[order], theirs.scores[their_order], atol=1e-4)
    np.testing.assert_allclose(ours.landmarks[order], theirs.landmarks[their_order], atol=0.05)


@pytest.mark.parametrize("clip", CLIPS)
def test_equals_opencv_on_real_footage(clip: str):
    model = shared(MODEL)
    detector = open_yunet(model)
    ours_found = theirs_found = ours_matched = theirs_matched = 0
    for _, planes in frames(shared(f"video/{clip}"), first=4, last=900, every=10 if clip.startswith("asl") else 20):
        ours, theirs = detector.detect([planes])[0], opencv(model, bgr_from_planes(planes))
        ours_found, theirs_found = ours_found + len(ours), theirs_found + len(theirs)
        ours_matched, theirs_matched = ours_matched + matched(ours, theirs), theirs_matched + matched(theirs, ours)
    assert theirs_found > 3
    assert ours_matched >= 0.99 * ours_found
    assert theirs_matched >= 0.99 * theirs_found


def test_cars_are_no_faces():
    detector = open_yunet(shared(MODEL))
    for _, planes in frames(shared("video/car-detection.mp4"), every=10):
        assert len(detector.detect([planes])[0]) == 0


@pytest.mark.parametrize("size", [(1280, 886), (641, 443), (320, 221)])
@pytest.mark.parametrize("min_score", [0.6, 0.1])
def test_equals_opencv_on_a_photograph_of_six(size: tuple[int, int], min_score: float):
    model = shared(MODEL)
    planes = planes_from_bgr(cv2.resize(get_image("t1"), size, interpolation=cv2.INTER_AREA))
    ours = open_yunet(model, min_score).detect([planes])[0]
    same(ours, opencv(model, bgr_from_planes(planes), min_score))
    if min_score == 0.6:
        assert len(ours) == 6
        right_eye, left_eye, nose, right_mouth, left_mouth = ours.landmarks.transpose(1, 0, 2)
        assert (right_eye[:, 0] < left_eye[:, 0]).all()
        assert (right_mouth[:, 0] < left_mouth[:, 0]).all()
        assert (right_eye[:, 1] < nose[:, 1]).all()
        assert (nose[:, 1] < right_mouth[:, 1]).all()


@pytest.mark.parametrize("seed", range(4))
def test_equals_opencv_on_many_overlapping_boxes(tmp_path: Path, seed: int):
    path = tmp_path / "random.onnx"
    path.write_bytes(yunet_model(seed))
    image = np.random.default_rng(seed).integers(0, 256, (7, 10, 3), np.uint8)
    planes = planes_from_bgr(cv2.resize(image, (300, 200), interpolation=cv2.INTER_CUBIC))
    ours = open_yunet(path, 0.45).detect([planes])[0]
    assert len(ours) > 5
    same(ours, without_nested(opencv(path, bgr_from_planes(planes), 0.45)))


@pytest.mark.parametrize("side", [640, None], ids=["fixed", "free"])
def test_facts_of_the_detector(tmp_path: Path, side: int | None):
    path = tmp_path / "made.onnx"
    path.write_bytes(yunet_model(0, side))
    detector = YuNet(SessionSpec(path, "onnxruntime"), None, "mine", "CC0-1.0")
    assert (detector.name, detector.licence, detector.profile.best, detector.min_score) == ("mine", "CC0-1.0", 1, 0.6)
    assert detector.model_sha256 == sha256_of(path)
    assert detector.runtime.startswith("onnxruntime")
    pictures = [planes_from_bgr(np.zeros((height, width), np.uint8)) for height, width in ((1, 1), (33, 64), (480, 640))]
    assert len(detector.detect(pictures)) == 3
    assert detector.detect([]) == []
    detector.close()
    with pytest.raises(InferenceError, match="closed"):
        detector.detect(pictures)


def test_a_picture_leaves_no_trace_in_the_next(tmp_path: Path):
    path = tmp_path / "made.onnx"
    path.write_bytes(yunet_model(1, None))
    rng = np.random.default_rng(2)
    sizes = [(40, 50), (33, 64), (64, 64), (40, 50), (64, 33), (35, 35), (40, 50)]
    pictures = [planes_from_bgr(rng.integers(0, 256, (*size, 3), np.uint8)) for size in sizes]
    together = open_yunet(path, 0.5).detect(pictures)
    for picture, found in zip(pictures, together, strict=True):
        same(found, open_yunet(path, 0.5).detect([picture])[0])


def test_several_threads_share_a_detector(tmp_path: Path):
    path = tmp_path / "made.onnx"
    path.write_bytes(yunet_model(3, None))
    detector = open_yunet(path, 0.5)
    rng = np.random.default_rng(2)
    pictures = [planes_from_bgr(rng.integers(0, 256, (96, 128, 3), np.uint8)) for _ in range(4)]
    expected = detector.detect(pictures)
    wrong: list[int] = []

    def work(index: int, picture: Planes) -> None:
        for _ in range(20):
            if not np.array_equal(detector.detect([picture])[0].boxes, expected[index].boxes):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=item) for item in enumerate(pictures)]
    run_together(threads)
    assert wrong == []


def test_another_kind_of_model_is_named_with_its_outputs(tmp_path: Path):
    path = tmp_path / "other.onnx"
    path.write_bytes(doubling_model())
    with pytest.raises(
        ModelError, match=r"other\.onnx is not a YuNet-format model: .*the outputs y, z, expected .*cls_8, .*kps_32"
    ):
        open_yunet(path)


def test_missing_and_damaged_files(tmp_path: Path):
    with pytest.raises(ModelError, match="there is no model file"):
        open_yunet(tmp_path / "none.onnx")
    path = tmp_path / "damaged.onnx"
    path.write_bytes(yunet_model()[:2000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        open_yunet(path)
