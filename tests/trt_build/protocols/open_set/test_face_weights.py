import numpy as np
import pytest

from trt_build.data.people.photographs import Photographs
from trt_build.data.people.scene import Actor
from trt_build.errors import DataError
from trt_build.protocols.open_set.face_weights import fit_face_weights

LENGTH, PEOPLE = 16, 30
RNG = np.random.default_rng(0)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


OWN, CENTRE = unit(RNG.normal(size=(PEOPLE, LENGTH))), unit(np.ones(LENGTH))


class Blind:
    """An embedder for which every picture is one that nobody can be recognised on."""

    sha256 = "f" * 64

    def embed(self, pictures, landmarks):
        assert all(points.shape == (5, 2) for points in landmarks)
        return np.tile(CENTRE, (len(pictures), 1))


def photographs():
    luma = RNG.integers(0, 255, (60, 60)).astype(np.uint8)
    actors = [Actor(f"p{person}/{at}.jpg", luma, (15, 15, 30, 30)) for person in range(PEOPLE) for at in range(2)]
    return Photographs(actors, np.repeat(OWN, 2, axis=0), np.tile(np.array([0.9, 0.1], np.float32), PEOPLE))


def tracks(faces=9):
    """Of larger faces a vector is mostly the person's, of smaller ones mostly everybody's."""
    person = np.repeat(np.arange(PEOPLE), faces)
    size = RNG.uniform(12, 48, len(person))
    share = (size / 48)[:, None]
    vectors = unit(share * OWN[person] + (1 - share) * CENTRE + 0.05 * RNG.normal(size=(len(person), LENGTH)))
    return {
        "picture": np.array([f"p{one}/1.jpg" for one in range(PEOPLE)]), "place_px": np.full(PEOPLE, 24.0),
        "face_track": person, "face_vector": vectors, "face_size_px": size, "face_weight": np.full(len(person), 0.5),
    }  # fmt: skip


def ground(number):
    return None if number % 2 else np.zeros((90, 120), np.uint8)


def test_faces_that_tell_more_get_more_weight():
    found = fit_face_weights(tracks(), photographs(), Blind(), CENTRE[None], ground)
    np.testing.assert_allclose(found.centre, CENTRE, atol=1e-6)
    sharp, smear = OWN[0], CENTRE
    large = found.size_power * np.log(2) + found.decay * float(smear @ CENTRE - sharp @ CENTRE)
    assert large > 1  # a sharp face of twice the size, against a smear
    assert f"of {PEOPLE} people" in found.provenance


def test_too_few_tracks_are_refused():
    with pytest.raises(DataError, match="record more people"):
        fit_face_weights(tracks(faces=1), photographs(), Blind(), CENTRE[None], ground)
