"""Our own detector format: luma in as it is, batches where they pay, one sentence for what is not of this format."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from engine.config import DetectConfig
from engine.contracts.frames import Detections, Planes
from engine.contracts.manifest import Manifest, sha256_of, write_manifest
from engine.contracts.profile import Profile
from engine.detect.catalog import open_detector
from engine.detect.grey import GreyDetector, face_shaped
from engine.errors import ModelError
from engine.sessions.session import SessionSpec
from tests.onnx_models import doubling_model, grey_model
from tests.together import run_together

SIZES = [(40, 50), (33, 64), (64, 64), (40, 50), (64, 33), (35, 35), (40, 50)]


def write(folder: Path, content: bytes, **changes: object) -> Path:
    (folder / "made.onnx").write_bytes(content)
    options = {"name": "made", "kind": "detector", "file": "made.onnx", "sha256": sha256_of(folder / "made.onnx")}
    options |= {"licence": "Apache-2.0", "training_data": "none", "figures": {"min_score": 0.4}}
    write_manifest(Manifest(**(options | changes)), folder / "made.json")
    return folder / "made.json"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write(tmp_path, grey_model(1))


def picture(rng: np.random.Generator, height: int, width: int) -> Planes:
    grey = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    return Planes(rng.integers(0, 256, (height, width), np.uint8), grey, grey)


def same(ours, theirs):
    np.testing.assert_allclose(ours.boxes, theirs.boxes, atol=0.01)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)
    np.testing.assert_allclose(ours.landmarks, theirs.landmarks, atol=0.01)


def test_a_manifest_says_what_it_is(manifest: Path):
    detector = open_detector(DetectConfig(detector=str(manifest), runtime="onnxruntime"), lambda name: None)
    assert (detector.name, detector.licence, detector.min_score) == ("made", "Apache-2.0", 0.4)
    assert detector.model_sha256 == sha256_of(manifest.with_suffix(".onnx"))
    assert GreyDetector(SessionSpec(manifest, "onnxruntime"), 0.7).min_score == 0.7


def test_scores_boxes_and_landmarks_belong_together(manifest: Path):
    (found,) = GreyDetector(SessionSpec(manifest, "onnxruntime"), 0.1).detect([picture(np.random.default_rng(4), 96, 128)])
    assert len(found) > 3
    assert (np.diff(found.scores) <= 0).all()
    assert ((found.scores > 0.1) & (found.scores <= 1)).all()
    assert (found.boxes[:, 2:] > 0).all()
    assert np.isfinite(found.landmarks).all()


@pytest.mark.parametrize("batch", [1, 3])
def test_pictures_of_mixed_sizes_come_back_in_their_order_and_leave_no_trace(manifest: Path, batch: int):
    rng = np.random.default_rng(2)
    pictures = [picture(rng, *size) for size in SIZES]
    detector = GreyDetector(SessionSpec(manifest, "onnxruntime"), 0.1)
    detector.profile = Profile(1, batch, batch)
    for one, found in zip(pictures, detector.detect(pictures), strict=True):
        same(found, GreyDetector(SessionSpec(manifest, "onnxruntime"), 0.1).detect([one])[0])
    assert detector.detect([]) == []


def test_several_threads_share_a_detector(manifest: Path):
    detector = GreyDetector(SessionSpec(manifest, "onnxruntime"), 0.1)
    rng = np.random.default_rng(2)
    pictures = [picture(rng, 96, 128) for _ in range(4)]
    expected = detector.detect(pictures)
    wrong: list[int] = []

    def work(index: int, one: Planes) -> None:
        for _ in range(20):
            if not np.array_equal(detector.detect([one])[0].boxes, expected[index].boxes):
                wrong.append(index)

    threads = [threading.Thread(target=work, args=item) for item in enumerate(pictures)]
    run_together(threads)
    assert wrong == []


def test_another_kind_of_model_is_one_sentence(tmp_path: Path):
    with pytest.raises(ModelError, match=r"made\.onnx is not a grey detector: .*expected luma uint8"):
        GreyDetector(SessionSpec(write(tmp_path, doubling_model()), "onnxruntime"))
    with pytest.raises(ModelError, match="describes a generator, not a detector"):
        GreyDetector(SessionSpec(write(tmp_path, grey_model(), kind="generator"), "onnxruntime"))
    with pytest.raises(ModelError, match=r"there is no model file .*none\.json: check the path"):
        open_detector(DetectConfig(detector=str(tmp_path / "none.json")), lambda name: None)


def test_boxes_of_no_faces_shape_are_left_out():
    boxes = np.array([[0, 0, 20, 27], [0, 0, 100, 900], [5, 5, 40, 18], [9, 9, 30, 60]], np.float32)
    found = Detections(boxes, np.array([0.9, 0.8, 0.7, 0.6], np.float32), np.arange(40, dtype=np.float32).reshape(4, 5, 2))
    kept = face_shaped(found)
    np.testing.assert_array_equal(kept.boxes, boxes[[0, 3]])
    np.testing.assert_array_equal(kept.scores, found.scores[[0, 3]])
    np.testing.assert_array_equal(kept.landmarks, found.landmarks[[0, 3]])
    assert len(face_shaped(Detections.empty())) == 0
