import warnings

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from insightface.utils import face_align
from skimage.transform import SimilarityTransform

from engine.contracts.frames import ARCFACE_TEMPLATE_112
from engine.verify.align import align, centred_square, similarity_transform, usable

points = arrays(np.float64, (5, 2), elements=st.floats(-500, 500, width=32))
angles = st.floats(-np.pi, np.pi)
scales = st.floats(0.05, 20)
shifts = st.floats(-1000, 1000)


def moved(source, angle, scale, shift_x, shift_y):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return source @ np.array([[cos, -sin], [sin, cos]]).T + [shift_x, shift_y]


@settings(max_examples=40, deadline=None)
@given(points, angles, scales, shifts, shifts)
def test_recovers_an_exact_similarity(source, angle, scale, shift_x, shift_y):
    assume(np.ptp(source, axis=0).max() > 1)
    target = moved(source, angle, scale, shift_x, shift_y)
    matrix = similarity_transform(source, target)
    np.testing.assert_allclose(source @ matrix[:, :2].T + matrix[:, 2], target, atol=1e-6 * (1 + np.abs(target).max()))


@settings(max_examples=40, deadline=None)
@given(points, points)
def test_equals_skimage_on_any_points(source, target):
    singular = np.linalg.svd(np.cov(source.T), compute_uv=False)
    cross = np.linalg.svd((target - target.mean(0)).T @ (source - source.mean(0)), compute_uv=False)
    assume(singular[1] > 1 and cross[1] > 1e-3 * cross[0] > 1e-3)
    ours = similarity_transform(source, target)
    theirs = SimilarityTransform.from_estimate(source, target).params[:2]
    np.testing.assert_allclose(ours, theirs, atol=1e-6 * np.abs(theirs).max())


@settings(max_examples=40, deadline=None)
@given(points, points)
def test_never_mirrors(source, target):
    assume(np.ptp(source, axis=0).max() > 1)
    matrix = similarity_transform(source, target)
    assert np.linalg.det(matrix[:, :2]) >= 0


@pytest.mark.parametrize(
    ("source", "problem"),
    [(np.ones((5, 2)), "the same"), (np.full((5, 2), np.nan), "finite"), (np.zeros((4, 2)), r"\(N, 2\)")],
)
def test_refuses_points_without_a_similarity(source, problem):
    with pytest.raises(ValueError, match=problem):
        similarity_transform(source, ARCFACE_TEMPLATE_112)


@settings(max_examples=30, deadline=None)
@given(st.floats(-40, 40), st.floats(0.55, 3.0), st.floats(-20, 20), st.sampled_from([112, 224]), st.integers(0, 2**32 - 1))
def test_align_equals_norm_crop(degrees, enlarge, shift, size_px, seed):
    """``enlarge``: sides of the aligned face over those in the picture; from one half on nothing is filtered first."""
    rng = np.random.default_rng(seed)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (300, 300, 3), np.uint8), (0, 0), 2)
    landmarks = moved(ARCFACE_TEMPLATE_112 - 56, np.radians(degrees), size_px / 112 / enlarge, 150 + shift, 150)
    landmarks = (landmarks + rng.normal(0, 1.0, (5, 2))).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # insightface calls a method that scikit-image will remove
        theirs = face_align.norm_crop(picture, landmarks, size_px)
    difference = np.abs(align(picture, landmarks, size_px).astype(int) - theirs)
    assert difference.max() <= 3


def test_a_large_face_is_filtered_before_it_is_reduced():
    """Stripes finer than the result's pixels must become grey, not other stripes."""
    picture = np.zeros((1200, 1200, 3), np.uint8)
    picture[:, ::2] = 255
    landmarks = ((ARCFACE_TEMPLATE_112 - 56) * 8.3 + 600).astype(np.float32)
    face = align(picture, landmarks)
    assert face.std() < 12
    assert face.mean() == pytest.approx(127.5, abs=4)


@pytest.mark.parametrize("factor", [0.25, 0.5, 2.0, 5.0])
def test_the_same_face_at_another_scale_aligns_to_the_same_square(factor):
    rng = np.random.default_rng(1)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (400, 400, 3), np.uint8), (0, 0), 9)
    landmarks = ((ARCFACE_TEMPLATE_112 - 56) * 2 + 200).astype(np.float32)
    other = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    moved_landmarks = ((landmarks + 0.5) * factor - 0.5).astype(np.float32)
    difference = np.abs(align(picture, landmarks).astype(int) - align(other, moved_landmarks))
    assert np.percentile(difference, 99) <= 4


def test_without_usable_landmarks_the_centred_square_is_taken():
    picture = np.random.default_rng(2).integers(0, 256, (90, 60, 3), np.uint8)
    expected = centred_square(picture, 112)
    for landmarks in (None, np.full((5, 2), np.nan, np.float32), np.ones((5, 2), np.float32)):
        assert not usable(landmarks)
        np.testing.assert_array_equal(align(picture, landmarks), expected)
    np.testing.assert_array_equal(centred_square(picture, 60), picture[15:75])
