"""The fixed sets: seeded by name, so that they never change; which sizes there are."""

import numpy as np
import pytest

from tests.trt_build.tiny import smooth_faces
from trt_build.data.face_sets import (
    Stratum,
    build_set,
    check_people,
    people_subset,
    score_bicubic,
    score_set,
    strata_of,
    subset,
)
from trt_build.data.faces import Faces
from trt_build.errors import DataError
from trt_build.measures.metrics import bicubic

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
    found = score_set(faces, lambda low: np.stack([bicubic(face, 4) for face in low]))
    assert found == score_bicubic(faces)


def test_strata_end_at_what_the_pictures_hold():
    assert [str(stratum) for stratum in strata_of(4)] == [
        "clean, 12 px x4", "clean, 16 px x4", "clean, 24 px x4", "clean, 32 px x4", "surveillance, 32 px x4", "h264, 32 px x4",
    ]  # fmt: skip
    assert [stratum.low_px for stratum in strata_of(8)] == [12, 16, 16, 16]
    assert Stratum("clean", 16, 8).high_px == 128
    assert all(stratum.high_px <= 128 for scale in range(1, 11) for stratum in strata_of(scale))
    with pytest.raises(DataError, match="x11"):
        strata_of(11)


@pytest.mark.parametrize("kind", ["clean", "surveillance", "h264"])
@pytest.mark.parametrize("scale", [2, 3])
def test_other_scales_have_sets_too(kind, scale):
    stratum = strata_of(scale)[-1]
    pairs = build_set(kind, FACES, stratum.high_px, scale, 0)
    assert pairs.low.shape[1:] == (32, 32)
    assert pairs.high.shape[1:] == (32 * scale, 32 * scale)


def test_a_subset_of_people_has_all_their_faces():
    faces = smooth_faces(24, 16, people=8)
    few = people_subset(faces, 7, seed=1)
    assert few.names == people_subset(faces, 7, seed=1).names
    assert len(few.names) == 9
    assert set(few.identities()).isdisjoint(set(faces.identities()) - set(few.identities()))
    assert list(few.names) == [name for name in faces.names if name in few.names]
    assert people_subset(faces, 99, seed=1) is faces
    assert len(set(people_subset(faces, 1, seed=1).identities())) == 2


def test_faces_without_pairs_are_refused():
    with pytest.raises(DataError, match=r"of 'x\.zip' are of one person"):
        check_people(smooth_faces(4, 16, people=1), "x.zip")
    with pytest.raises(DataError, match=r"Nobody among the 4 people of 'x\.zip'"):
        check_people(smooth_faces(4, 16, people=4), "x.zip")
    check_people(smooth_faces(4, 16, people=2), "x.zip")
