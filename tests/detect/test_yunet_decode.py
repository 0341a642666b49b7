"""Suppression keeps exactly what OpenCV's NMSBoxes keeps, and its own promises."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from engine.contracts.frames import Detections
from engine.detect.yunet_decode import OUTPUTS, STRIDES, decode, suppress

sides = st.floats(-20, 120, width=32)
boxes = hnp.arrays(np.float32, st.tuples(st.integers(0, 30), st.just(4)), elements=sides)


def faces_of(boxes: np.ndarray, seed: int) -> Detections:
    rng = np.random.default_rng(seed)
    boxes = boxes.copy()
    boxes[:, 2:] = np.abs(boxes[:, 2:])
    scores = np.sort(rng.permutation(1000)[: len(boxes)] / 1000).astype(np.float32)[::-1] + np.float32(0.0005)
    return Detections(boxes, scores, rng.random((len(boxes), 5, 2), np.float32))


@given(boxes=boxes, seed=st.integers(0, 100), threshold=st.sampled_from([0.1, 0.3, 0.7]))
def test_suppression_equals_opencv(boxes: np.ndarray, seed: int, threshold: float):
    faces = faces_of(boxes, seed)
    kept = suppress(faces, threshold)
    whole = np.trunc(faces.boxes).astype(int).tolist()
    expected = np.asarray(cv2.dnn.NMSBoxes(whole, faces.scores.tolist(), 0.0, threshold), int).reshape(-1)
    np.testing.assert_array_equal(kept.boxes, faces.boxes[expected])
    np.testing.assert_array_equal(kept.scores, faces.scores[expected])
    np.testing.assert_array_equal(kept.landmarks, faces.landmarks[expected])


@given(boxes=boxes, seed=st.integers(0, 100))
def test_suppression_again_changes_nothing(boxes: np.ndarray, seed: int):
    once = suppress(faces_of(boxes, seed))
    assert len(suppress(once)) == len(once)


def test_only_the_best_are_compared():
    spread = np.array([[50 * index, 0, 10, 10] for index in range(8)], np.float32)
    assert len(suppress(faces_of(spread, 0), top_k=3)) == 3


def empty_outputs(rows: int, columns: int) -> dict[str, np.ndarray]:
    values = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    return {
        name: np.zeros((1, (32 // stride) ** 2 * rows * columns, values[kind]), np.float32)
        for name in OUTPUTS
        for kind, stride in [(name.split("_")[0], int(name.split("_")[1]))]
    }


@given(
    rows=st.integers(1, 3),
    columns=st.integers(1, 3),
    stride=st.sampled_from(STRIDES),
    pick=st.integers(0),
    score=st.floats(0.7, 2),
)
def test_a_cell_becomes_a_face_at_its_place(rows: int, columns: int, stride: int, pick: int, score: float):
    outputs = empty_outputs(rows, columns)
    cell = pick % outputs[f"cls_{stride}"].shape[1]
    outputs[f"cls_{stride}"][0, cell] = score
    outputs[f"obj_{stride}"][0, cell] = 1.0
    outputs[f"bbox_{stride}"][0, cell] = [0.25, 0.5, np.log(2), np.log(3)]
    outputs[f"kps_{stride}"][0, cell] = np.arange(10) / 10
    faces = decode(outputs, 32 * columns, 0.6)
    row, column = divmod(cell, 32 * columns // stride)
    assert len(faces) == 1
    assert np.isclose(faces.scores[0], np.sqrt(min(score, 1.0)))
    np.testing.assert_allclose(faces.boxes[0] / stride, [column + 0.25 - 1, row + 0.5 - 1.5, 2, 3], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(faces.landmarks[0, 2] / stride, [column + 0.4, row + 0.5], rtol=1e-5)


def test_nothing_above_the_score_is_no_face():
    assert len(suppress(decode(empty_outputs(2, 2), 64, 0.6))) == 0
