import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.frames import ARCFACE_TEMPLATE_112
from engine.errors import ModelError
from engine.verify.align import eyes_px
from engine.verify.mixed_embedder import MixedEmbedder

EYES_OF_112 = float(np.linalg.norm(ARCFACE_TEMPLATE_112[1] - ARCFACE_TEMPLATE_112[0]))
PICTURE = np.zeros((300, 300, 3), np.uint8)


class Network:
    """Gives one direction for all faces, and keeps how many it saw."""

    size_px, places, name, sha256, licence, runtime = 112, None, "base", "a" * 64, "MIT", "fake"
    known_cosine, unknown_cosine, margin_cosine, min_size_px = 0.9, 0.8, 0.01, 24.0

    def __init__(self, axis, length=16):
        self.axis, self.length, self.seen, self.closed = axis, length, [], False

    def embed(self, pictures, landmarks):
        assert len(pictures) == len(landmarks)
        self.seen.append(len(pictures))
        return np.repeat(np.eye(self.length, dtype=np.float32)[self.axis][None], len(pictures), axis=0)

    def close(self):
        self.closed = True


def at(eyes):
    return ARCFACE_TEMPLATE_112 * np.float32(eyes / EYES_OF_112)


def test_small_faces_go_to_one_network_large_ones_to_the_other_and_between_to_both():
    base, small = Network(0), Network(1)
    mixed = MixedEmbedder(base, small, ((6.0, 1.0), (8.0, 0.5), (10.0, 0.0)))
    vectors = mixed.embed([PICTURE] * 5, [at(eyes) for eyes in (40.0, 3.0, 8.0, 9.0, 12.0)])
    np.testing.assert_allclose(vectors[[0, 4]], np.eye(16)[[0, 0]], atol=1e-6)
    np.testing.assert_allclose(vectors[1], np.eye(16)[1], atol=1e-6)
    np.testing.assert_allclose(vectors[2, :2], [0.5**0.5] * 2, atol=1e-4)
    np.testing.assert_allclose(vectors[3, :2], np.array([0.75, 0.25]) / np.hypot(0.75, 0.25), atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert (base.seen, small.seen) == ([4], [3])
    assert (mixed.name, mixed.sha256, mixed.known_cosine) == ("base", "a" * 64, 0.9)
    mixed.close()
    assert base.closed
    assert small.closed


def test_no_faces_no_vectors():
    base, small = Network(0), Network(1)
    assert MixedEmbedder(base, small, ((6.0, 1.0), (8.0, 0.0))).embed([], []).shape == (0, 16)
    assert base.seen == small.seen == []


def test_vectors_of_other_lengths_are_refused():
    with pytest.raises(ModelError, match="32 values, not 16"):
        MixedEmbedder(Network(0), Network(1, 32), ((6.0, 1.0), (8.0, 0.0)))


@given(st.floats(0.5, 200), st.floats(-180, 180), st.floats(-50, 50))
def test_the_distance_of_the_eyes_does_not_depend_on_roll_or_place(eyes, degrees, shift):
    angle = np.radians(degrees)
    turned = at(eyes) @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + shift
    assert eyes_px(PICTURE, turned, 112) == pytest.approx(eyes, rel=1e-3)
    assert eyes_px(PICTURE, turned, 150, ARCFACE_TEMPLATE_112) == pytest.approx(eyes, rel=1e-3)


@pytest.mark.parametrize("landmarks", [None, np.full((5, 2), np.nan), np.zeros((5, 2))])
def test_without_landmarks_the_face_fills_the_square(landmarks):
    assert eyes_px(PICTURE[:56], landmarks, 112) == pytest.approx(EYES_OF_112 / 2)


def test_a_turned_head_is_not_taken_for_a_small_one():
    profile = at(40.0)
    profile[:, 0] = profile[:, 0].mean() + 0.3 * (profile[:, 0] - profile[:, 0].mean())
    assert eyes_px(PICTURE, profile, 112) > 20
