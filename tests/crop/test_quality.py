from __future__ import annotations

import math
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.coding import BlockMap
from engine.contracts.findings import Quality
from engine.contracts.frames import ARCFACE_TEMPLATE_112, Planes
from engine.crop.quality import assess, combine, frontality, is_only_blurred, sharpness
from engine.pictures.colour import planes_from_bgr
from tests.assets import shared
from tests.crop.photographs import FOUND, PROFILE, face_of, picture, planes_of

FACES = [(name, index) for name, found in FOUND.items() for index in range(len(found))]
shares = st.floats(0.0, 1.0)
sizes = st.floats(4.0, 500.0)


def rate(planes: Planes, name: str, index: int, scale: float = 1.0) -> Quality:
    face = face_of(name, index)
    return assess(planes, face.box * scale, face.landmarks * scale, face.score)


def blurred(planes: Planes, sigma_px: float) -> Planes:
    return Planes(cv2.GaussianBlur(planes.y, (0, 0), sigma_px), planes.u, planes.v)


@pytest.mark.parametrize(("name", "index"), FACES)
def test_each_blur_makes_a_real_face_worse(name, index):
    planes = planes_of(name)
    rated = [rate(planes, name, index), *(rate(blurred(planes, sigma), name, index) for sigma in (1, 2, 4, 8, 16))]
    for better, worse in pairwise(rated):
        assert worse.sharpness < better.sharpness
        assert worse.score < better.score
    assert rated[0].sharpness > 0.4
    assert rated[-1].sharpness < 0.2


@pytest.mark.parametrize(("name", "index"), FACES)
def test_smaller_copies_of_a_real_face_are_worse(name, index):
    scores = []
    for scale in (1.0, 0.6, 0.35, 0.2, 0.12):
        image = cv2.resize(picture(name), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        quality = rate(planes_from_bgr(image), name, index, scale)
        _, _, width, height = FOUND[name][index][:4]
        assert quality.size_px == pytest.approx(math.sqrt(width * height) * scale, rel=1e-4)
        scores.append(quality.score)
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < scores[0] / 2


@pytest.mark.parametrize(("name", "index"), FACES)
def test_lighting_hardly_changes_the_sharpness(name, index):
    planes = planes_of(name)
    height, width = planes.y.shape
    reference = rate(planes, name, index).sharpness
    dark = Planes(cv2.convertScaleAbs(planes.y, alpha=0.4, beta=5), planes.u, planes.v)
    ramp = np.linspace(0.5, 1.0, width, dtype=np.float32)[None].repeat(height, 0)
    from_the_side = Planes((planes.y * ramp).astype(np.uint8), planes.u, planes.v)
    assert rate(dark, name, index).sharpness == pytest.approx(reference, abs=0.1)
    assert rate(from_the_side, name, index).sharpness == pytest.approx(reference, abs=0.1)


def test_size_hardly_changes_the_sharpness_of_faces_over_the_canonical_size():
    for name, index in FACES:
        full = rate(planes_of(name), name, index).sharpness
        half = planes_from_bgr(cv2.resize(picture(name), None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA))
        assert rate(half, name, index, 0.4).sharpness == pytest.approx(full, abs=0.1)


def test_the_profile_is_the_least_frontal_of_the_photographed_faces():
    frontal = {(name, index): rate(planes_of(name), name, index).frontal for name, index in FACES}
    profile = frontal.pop(("t1", PROFILE))
    assert profile < 0.6
    assert profile < min(frontal.values()) - 0.1
    assert frontal[("astronaut", 0)] > 0.95


@pytest.mark.parametrize(("clip", "from_seconds"), [("video/asl_book.mkv", 0), ("video/one-by-one-person-detection.mp4", 76)])
def test_blurring_footage_makes_every_face_worse(clip, from_seconds):
    detector = None
    compared = 0
    with av.open(str(shared(clip))) as container:
        container.seek(from_seconds * av.time_base)
        for number, frame in enumerate(container.decode(video=0)):
            if number % 8:
                continue
            image = frame.to_ndarray(format="bgr24")
            height, width = image.shape[:2]
            model = str(shared("models/face_detection_yunet_2023mar.onnx"))
            detector = detector or cv2.FaceDetectorYN.create(model, "", (width, height), 0.6)
            _, found = detector.detect(image)
            planes = planes_from_bgr(image)
            for values in [] if found is None else found:
                box, landmarks, score = values[:4], values[4:14].reshape(5, 2), float(values[14])
                sharp = assess(planes, box, landmarks, score)
                soft = assess(blurred(planes, 1.2), box, landmarks, score)
                assert soft.score < sharp.score
                assert soft.sharpness < 0.9 * sharp.sharpness
                compared += 1
            if compared >= 5:
                break
    assert compared >= 5


@given(sizes, shares, shares, shares, st.floats(0.0, 0.5))
def test_the_score_never_falls_when_a_term_grows(size_px, sharp, front, score, more):
    lower = combine(size_px, sharp, front, score)
    assert 0.001 <= lower <= 1.0
    assert combine(size_px * (1 + more), sharp, front, score) >= lower
    assert combine(size_px, min(1.0, sharp + more), front, score) >= lower
    assert combine(size_px, sharp, min(1.0, front + more), score) >= lower
    assert combine(size_px, sharp, front, min(1.0, score + more)) >= lower


@given(st.floats(-math.pi, math.pi), st.floats(0.1, 10.0), st.floats(-500, 500), st.floats(-500, 500), st.floats(-15, 15))
def test_frontality_ignores_roll_scale_place_and_mirroring(roll, scale, dx, dy, nose_shift):
    points = ARCFACE_TEMPLATE_112.astype(np.float64)
    points[2, 0] += nose_shift
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    moved = scale * points @ turn.T + (dx, dy)
    mirrored = (points * (-1, 1))[[1, 0, 2, 4, 3]]
    assert frontality(moved) == pytest.approx(frontality(points), abs=1e-6)
    assert frontality(mirrored) == pytest.approx(frontality(points), abs=1e-9)


@given(st.floats(-85, 85), st.floats(-40, 40))
def test_frontality_is_the_cosine_of_the_yaw_of_a_head_in_space(yaw_degrees, roll_degrees):
    head = np.array([[-1, -1, 0], [1, -1, 0], [0, 0.15, 1], [-0.8, 1.2, 0], [0.8, 1.2, 0]], np.float64)
    yaw, roll = math.radians(yaw_degrees), math.radians(roll_degrees)
    x = head[:, 0] * math.cos(yaw) + head[:, 2] * math.sin(yaw)
    y = head[:, 1]
    points = np.stack([x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)], axis=1)
    assert frontality(points.astype(np.float32)) == pytest.approx(math.cos(yaw), abs=1e-4)


def test_frontality_of_a_face_turned_past_the_profile_is_zero():
    points = ARCFACE_TEMPLATE_112[[1, 0, 2, 3, 4]]
    assert frontality(points) == 0.0


@pytest.mark.parametrize("landmarks", [None, np.full((5, 2), np.nan, np.float32), np.zeros((5, 2), np.float32)])
def test_missing_or_meaningless_landmarks_are_half_frontal(landmarks):
    assert frontality(landmarks) == 0.5


def test_a_flat_or_merely_noisy_patch_is_not_sharp():
    noise = np.random.default_rng(1).normal(128, 0.5, (64, 64))
    assert sharpness(np.full((64, 64), 90, np.uint8), 64) == 0.0
    assert sharpness(np.clip(noise.round(), 0, 255).astype(np.uint8), 64) < 0.1


@given(
    st.floats(-200, 200), st.floats(-200, 200), st.floats(-5, 300), st.floats(-5, 300), st.integers(1, 70), st.integers(1, 70)
)
def test_any_box_in_any_picture_gives_values_in_range(x, y, width, height, picture_width, picture_height):
    luma = np.random.default_rng(0).integers(0, 256, (picture_height, picture_width), np.uint8)
    chroma = np.full(((picture_height + 1) // 2, (picture_width + 1) // 2), 128, np.uint8)
    quality = assess(Planes(luma, chroma, chroma), (x, y, width, height), None, 0.7)
    assert quality.size_px >= 0.0
    assert 0.0 <= quality.sharpness <= 1.0
    assert 0.001 <= quality.score <= 1.0


@pytest.mark.parametrize("box", [(5000.0, 10.0, 50.0, 50.0), (-90.0, 10.0, 50.0, 50.0), (math.nan, 0.0, 10.0, 10.0)])
def test_a_box_outside_the_picture_gets_the_lowest_score(box):
    quality = assess(planes_of("astronaut"), box, None, 0.9)
    assert quality.sharpness == 0.0
    assert quality.score == 0.001


@pytest.mark.parametrize(
    ("worse", "better", "expected"),
    [
        ((30, 0.2, 1.0), (30, 0.8, 1.0), True),
        ((30, 0.8, 1.0), (30, 0.8, 1.0), False),  # the same
        ((30, 0.9, 0.2), (30, 0.8, 1.0), False),  # sharper, in profile
        ((12, 0.3, 1.0), (60, 0.8, 1.0), False),  # as sharp it would still be too small
        ((60, 0.3, 1.0), (30, 0.8, 1.0), True),
        ((30, 0.0, 1.0), (30, 0.8, 1.0), True),  # nothing is left of it
        ((30, 0.0, 1.0), (30, 0.0, 1.0), False),
    ],
)
def test_only_blurred_is_what_would_have_been_as_good_had_it_been_as_sharp(worse, better, expected):
    one, other = (Quality(size, sharp, front, combine(size, sharp, front, 1.0)) for size, sharp, front in (worse, better))
    assert is_only_blurred(one, other) is expected


def test_the_compression_under_the_face_is_told_and_changes_no_score():
    name, index = FACES[0]
    planes, face = planes_of(name), face_of(name, index)
    rows, columns = -(-planes.height_px // 16), -(-planes.width_px // 16)
    told = Planes(planes.y, planes.u, planes.v, blocks=BlockMap(np.full((rows, columns), 34, np.uint8)))
    without, rated = (assess(each, face.box, face.landmarks, face.score) for each in (planes, told))
    assert without.qp is None
    assert rated.qp == pytest.approx(34)
    assert not rated.qp_of_picture
    assert rated.score == without.score


def test_of_a_picture_known_as_a_whole_the_face_says_so():
    name, index = FACES[0]
    planes, face = planes_of(name), face_of(name, index)
    told = Planes(planes.y, planes.u, planes.v, blocks=BlockMap.whole(34, planes.width_px, planes.height_px))
    rated = assess(told, face.box, face.landmarks, face.score)
    assert (rated.qp, rated.qp_of_picture) == (34, True)
    outside = assess(told, (-90, -90, 40, 40), None, face.score)
    assert (outside.qp, outside.qp_of_picture) == (None, False)
