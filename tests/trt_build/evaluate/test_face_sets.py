"""The fixed sets: seeded by name, so that they never change, and the faces protocol on them."""

import numpy as np
import pytest

from tests.trt_build.tiny import smooth_faces
from trt_build.evaluate.face_scores import each, measure_faces
from trt_build.evaluate.face_sets import build_set, score_bicubic, score_set, subset
from trt_build.evaluate.metrics import bicubic
from trt_build.train.faces import Faces

FACES = smooth_faces(6, 128)


@pytest.mark.parametrize("kind", ["clean", "surveillance", "h264"])
def test_a_set_repeats(kind):
    one, two = (build_set(kind, FACES, 128, 4, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.low, two.low)
    assert one.low.shape == (6, 32, 32)
    assert one.scale == 4


def test_a_face_is_degraded_the_same_in_any_company():
    whole = build_set("surveillance", FACES, 128, 4, seed=3)
    alone = Faces(FACES.images[4:5], FACES.names[4:5])
    np.testing.assert_array_equal(build_set("surveillance", alone, 128, 4, 3).low[0], whole.low[4])


def test_another_seed_degrades_otherwise():
    one, two = (build_set("surveillance", FACES, 128, 4, seed).low for seed in (1, 2))
    assert np.any(one != two)


def test_subset_is_seeded_and_keeps_the_order():
    few = subset(FACES, 3, seed=1)
    assert few.names == subset(FACES, 3, seed=1).names
    assert list(few.names) == [name for name in FACES.names if name in few.names]
    assert subset(FACES, 99, seed=1) is FACES


def test_bicubic_scores_the_same_as_the_baseline():
    faces = build_set("clean", FACES, 128, 4, seed=3)
    found = score_set(faces, each(bicubic, 4))
    assert found == score_bicubic(faces)


def test_protocol_gives_no_gain_for_bicubic_as_network():
    rows = measure_faces(FACES, each(bicubic, 4), 4, seed=3, rounds=20)
    assert [row.method for row in rows[:3]] == ["bicubic", "lanczos4", "network"]
    assert {row.faces for row in rows} == {"clean", "surveillance", "h264"}
    for row in rows:
        if row.method == "network":
            assert row.psnr_gain.value == row.psnr_gain.low == row.psnr_gain.high == 0
