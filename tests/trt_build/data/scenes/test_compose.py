import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.trt_build.data.scenes.made import BOX, POINTS, drawn_face, material, recipe
from trt_build.data.scenes.compose import agreed, compose, make_scene
from trt_build.data.scenes.geometry import overlaps, turn_about, warp
from trt_build.data.scenes.hard import CLIPS, NEGATIVES, PICTURES, Hard
from trt_build.data.scenes.photography import h264, photograph
from trt_build.data.scenes.scene import Scene
from trt_build.data.scenes.teacher import Labelled
from trt_build.data.scenes.textures import texture
from trt_build.recipes.detector import SceneSpec

SPEC = SceneSpec(side_px=128, faces=3, smallest_px=12, largest_px=90)


def test_a_scene_depends_on_the_generator_alone():
    first, again, other = (compose(material(), [], SPEC, np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.boxes, again.boxes)
    assert not np.array_equal(first.image, other.image)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), real=st.booleans())
def test_what_is_learnt_lies_in_the_picture(seed, real):
    frame = dataclasses.replace(drawn_face(), unsure=np.array([[5, 5, 20, 20]], np.float32))
    some = dataclasses.replace(material(), frames=[frame, Labelled(texture(150, np.random.default_rng(0)).astype(np.uint8))])
    spec = msgspec.structs.replace(SPEC, real=float(real))
    scene = make_scene(some, Hard([np.full((20, 20), 99, np.uint8)]), spec, np.random.default_rng(seed))
    assert scene.image.shape == (128, 128)
    assert scene.image.dtype == np.uint8
    assert len(scene.boxes) == len(scene.points)
    middle = scene.boxes[:, :2] + scene.boxes[:, 2:] / 2
    assert ((middle > -10) & (middle < 138)).all()
    assert (scene.boxes[:, 2] >= 7).all()
    for box, points in zip(scene.boxes, scene.points, strict=True):
        low, high = box[:2] - 0.5 * box[2:], box[:2] + 1.5 * box[2:]
        assert ((points > low) & (points < high)).all()
        assert points[0, 0] <= points[1, 0] + 0.75 * box[2]  # right eye on the left, whatever was flipped


@pytest.mark.parametrize("kind", ["real", "pictures", "clips", "negatives"])
def test_a_scene_is_of_the_kind_that_has_the_share(kind, monkeypatch):
    cut = []

    def keep(first, *more, decoded):
        cut.append((first, decoded))

    monkeypatch.setattr("trt_build.data.scenes.compose.cut_scene", keep)
    kinds = {name: [drawn_face()] for name in ("real", "pictures", "clips", "negatives")}
    wanted = kinds[kind]
    some = dataclasses.replace(material(), frames=kinds.pop("real"), **kinds)
    places = np.float32([(number, 0, 10 * number, 0, 5, 5) for number in (NEGATIVES, PICTURES, CLIPS)])
    make_scene(
        some, Hard(places=places), msgspec.structs.replace(SPEC, **({"real": 0.0} | {kind: 1.0})), np.random.default_rng(0)
    )
    ((source, decoded),) = cut
    assert source.pictures is wanted
    assert decoded == (kind == "real")
    assert source.places[:, 1].tolist() == {"negatives": [0], "pictures": [10], "clips": [20]}.get(kind, [])


@pytest.mark.parametrize("scale", [0.11, 0.35, 0.8, 1.7])
def test_warping_moves_pixels_as_points(scale):
    picture = np.zeros((200, 240), np.float32)
    picture[90:111, 120:141] = 255
    matrix = turn_about(np.array([130.0, 100.0]), (64.3, 60.7), scale, 30.0)
    moved = warp(picture, matrix, scale, 128, 0)
    y, x = np.mgrid[0:128, 0:128]
    assert (moved * x).sum() / moved.sum() == pytest.approx(64.3, abs=0.15)
    assert (moved * y).sum() / moved.sum() == pytest.approx(60.7, abs=0.15)


def test_only_what_the_teacher_sees_is_learnt():
    boxes = np.array([[10, 10, 30, 40], [70, 60, 20, 20]], np.float32)
    points = np.zeros((2, 5, 2), np.float32)
    scene = Scene(np.zeros((128, 128), np.uint8), boxes, points, np.array([[100, 0, 20, 20]], np.float32))
    found = np.array([[12, 11, 30, 38], [101, 1, 20, 18], [0, 90, 25, 25]], np.float32)
    result = agreed(scene, Labelled(scene.image, found[:1], points[:1], found[1:]))
    np.testing.assert_array_equal(result.boxes, boxes[:1])
    assert len(result.points) == 1
    assert result.ignored.tolist() == [[100, 0, 20, 20], [70, 60, 20, 20], [0, 90, 25, 25]]
    nothing = agreed(scene, Labelled(scene.image))
    assert len(nothing.boxes) == 0
    assert len(nothing.ignored) == 3


boxes_of_any_size = arrays(
    np.float32, st.tuples(st.integers(0, 4), st.just(4)), elements=st.floats(0, 200, width=32, allow_subnormal=False)
)


@given(boxes_of_any_size, boxes_of_any_size)
def test_overlaps(ones, others):
    found = overlaps(ones, others)
    assert found.shape == (len(ones), len(others))
    assert ((found >= 0) & (found <= 1 + 1e-5)).all()
    np.testing.assert_allclose(found, overlaps(others, ones).T, rtol=1e-5)
    large = ones + np.array([0, 0, 1, 1], np.float32)
    np.testing.assert_allclose(np.diag(overlaps(large, large)), 1, rtol=1e-3)


def test_faces_do_not_cover_each_other():
    spec = msgspec.structs.replace(SPEC, faces=8, side_px=256)
    for seed in range(20):
        boxes = compose(material(), [], spec, np.random.default_rng(seed)).boxes
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, :2] + boxes[:, None, 2:], boxes[None, :, :2] + boxes[None, :, 2:])
        shared = np.maximum(high - low, 0).prod(axis=2)
        area = boxes[:, 2:].prod(axis=1)
        iou = shared / (area[:, None] + area[None] - shared)
        assert (iou[~np.eye(len(boxes), dtype=bool)] < 0.12).all()


def test_the_drawn_face_is_what_these_tests_take_it_for():
    face = drawn_face()
    assert ((BOX[:2] < POINTS) & (BOX[:2] + BOX[2:] > POINTS)).all()
    assert all(face.image[int(y), int(x)] < 110 for x, y in POINTS[:3])


@pytest.mark.parametrize("seed", range(12))
def test_textures_and_photographs_are_pictures(seed):
    rng = np.random.default_rng(seed)
    drawn = texture(96, rng)
    assert drawn.shape == (96, 96)
    assert drawn.dtype == np.float32
    assert 0 <= drawn.min() <= drawn.max() <= 255
    assert drawn.std() > 1
    taken = photograph(drawn, rng)
    assert taken.shape == (96, 96)
    assert taken.dtype == np.uint8


def test_h264_keeps_the_picture_and_loses_detail():
    picture = texture(128, np.random.default_rng(3)).astype(np.uint8)
    coded = h264(picture, 35)
    assert coded.shape == picture.shape
    assert 0 < np.abs(coded.astype(int) - picture).mean() < 25


def test_a_clip_may_not_be_on_both_sides():
    with pytest.raises(ValueError, match=r"a\.mkv is in footage and in validation_footage"):
        msgspec.structs.replace(recipe().material, footage=("a.mkv",), validation_footage=("a.mkv",))
