"""The second look that ships: what it says of faces and of what is none, and what it refuses to open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from skimage import data

from engine.config import DetectConfig
from engine.contracts.frames import Detections
from engine.contracts.manifest import read_manifest, write_manifest
from engine.detect.second_look import NAME, Faceness, SecondLook, corrected, open_second_look
from engine.errors import ModelError
from engine.models import find_model
from engine.sessions.session import SessionSpec
from tests.onnx_models import doubling_model


@pytest.fixture(scope="module")
def look():
    opened = open_second_look(DetectConfig(), find_model)
    assert opened is not None
    yield opened
    opened.close()


def astronaut() -> np.ndarray:
    return np.asarray(data.astronaut() @ np.float32([0.299, 0.587, 0.114]), np.uint8)


FACE = (178, 59, 92, 113)
NO_FACES = {"badge": (285, 340, 60, 60), "shoulder": (60, 330, 90, 90), "helmet": (400, 420, 80, 80), "flag": (10, 100, 80, 90)}


def test_a_face_is_one_and_what_lies_beside_is_none(look: SecondLook):
    boxes = np.float32([FACE, *NO_FACES.values()])
    face, *others = look.faceness(astronaut(), boxes)
    assert face > 0.6
    assert max(others) < 0.4, dict(zip(NO_FACES, others, strict=True))


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
def test_it_is_a_face_in_either_range_and_at_any_size(look: SecondLook, scale: float):
    import cv2

    full = np.asarray(cv2.resize(astronaut(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    video = np.asarray(16 + full * (219 / 255), np.uint8)
    seen = [look.faceness(luma, np.float32([FACE]) * scale)[0] for luma in (full, video)]
    assert min(seen) > 0.6
    assert abs(seen[0] - seen[1]) < 0.05


def test_all_boxes_of_a_picture_are_judged_at_once_and_keep_their_order(look: SecondLook):
    boxes = np.float32([FACE, *NO_FACES.values()])
    found = Detections(boxes, np.linspace(0.9, 0.5, 5, dtype=np.float32), np.zeros((5, 5, 2), np.float32))
    judged = look.judge(astronaut(), found)
    single = [look.faceness(astronaut(), box[None])[0] for box in boxes]
    np.testing.assert_allclose(judged.faceness, single, atol=1e-5)
    assert judged.boxes is found.boxes
    assert look.judge(astronaut(), Detections.empty()).faceness.shape == (0,)


def test_what_is_put_right_lies_between_where_it_was_and_where_it_is_seen():
    found = Detections(np.float32([[10, 10, 20, 20]]), np.float32([0.5]), np.full((1, 5, 2), 12, np.float32), np.float32([0.7]))
    places = np.zeros((1, 7, 2), np.float32)
    places[0, :2] = [[-0.25, -0.25], [0.25, 0.25]]
    moved = corrected(found, np.float32([[20, 30, 40]]), places)
    assert moved.boxes.tolist() == [[20, 25, 20, 20]]
    assert moved.landmarks.tolist() == [[[26, 31]] * 5]
    assert moved.scores is found.scores
    assert moved.faceness is found.faceness


def test_a_box_beside_a_face_is_moved_onto_it(look: SecondLook):
    away = np.float32([FACE]) + np.float32([[18, -14, 0, 0]])
    found = Detections(away, np.float32([0.5]), np.full((1, 5, 2), 200, np.float32))
    (box,) = look.judge(astronaut(), found, correct=True).boxes
    assert np.abs(box - FACE).max() < 0.75 * np.abs(away - FACE).max()


def test_flat_and_black_pictures_hold_no_face(look: SecondLook):
    for value in (0, 128, 255):
        assert (
            look.faceness(np.full((200, 200), value, np.uint8), np.float32([[50, 50, 60, 80]]))[0] < look.limits.accepted_from
        )


def test_limits_are_in_order_and_come_from_the_manifest(look: SecondLook):
    limits = look.limits
    assert 0 < limits.refused_below <= limits.accepted_from <= limits.alone_from < 1
    figures = read_manifest(find_model(NAME)).figures  # type: ignore[arg-type]
    assert limits == Faceness(figures["refused_below"], figures["accepted_from"], figures["alone_from"])
    assert look.facts()["second_look_sha256"] == look.model_sha256


def test_it_can_be_switched_off():
    assert open_second_look(DetectConfig(second_look=False), find_model) is None


def test_what_cannot_be_opened_is_said(tmp_path: Path):
    with pytest.raises(ModelError, match=r"has no model file.*detect.second_look: false"):
        open_second_look(DetectConfig(), lambda name: None)
    manifest = read_manifest(find_model(NAME))  # type: ignore[arg-type]
    (tmp_path / manifest.file).write_bytes(find_model(NAME).with_name(manifest.file).read_bytes())  # type: ignore[union-attr]
    write_manifest(replace(manifest, kind="detector"), tmp_path / "a.json")
    with pytest.raises(ModelError, match="describes a detector, not a second look"):
        SecondLook(SessionSpec(tmp_path / "a.json"))
    write_manifest(replace(manifest, figures={"refused_below": 0.1}), tmp_path / "b.json")
    with pytest.raises(ModelError, match="gives no accepted_from"):
        SecondLook(SessionSpec(tmp_path / "b.json"))
    (tmp_path / "other.onnx").write_bytes(doubling_model())
    import hashlib

    digest = hashlib.sha256((tmp_path / "other.onnx").read_bytes()).hexdigest()
    write_manifest(replace(manifest, file="other.onnx", sha256=digest), tmp_path / "c.json")
    with pytest.raises(ModelError, match="is not a second look: found the inputs"):
        SecondLook(SessionSpec(tmp_path / "c.json"))
