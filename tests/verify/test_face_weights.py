import numpy as np
import pytest

from engine.contracts.findings import Quality
from engine.errors import ModelError
from engine.models.catalog import embedded_dir
from engine.verify.face_weights import FaceWeights, face_weights_of, read_face_weights, write_face_weights
from engine.verify.open_set import read_open_set

CENTRE, OTHER = np.eye(16, dtype=np.float32)[:2]
ONE = FaceWeights(CENTRE, 2.0, 1.0, 10.0, 0.95, 0.88, "f" * 64, "made up")


def quality(size_px=24.0, score=0.5):
    return Quality(size_px, 0.8, 0.9, score)


def test_a_larger_a_better_and_a_more_telling_face_weighs_more():
    usual = ONE.weight(quality(), OTHER)
    assert ONE.weight(quality(size_px=48), OTHER) == pytest.approx(4 * usual)
    assert ONE.weight(quality(score=0.25), OTHER) == pytest.approx(usual / 2)
    assert ONE.weight(quality(), CENTRE) == pytest.approx(usual * np.exp(-10))
    assert ONE.weight(quality(size_px=500), OTHER) == ONE.weight(quality(size_px=60), OTHER)
    assert ONE.weight(quality(size_px=0, score=0), CENTRE) > 0
    assert (ONE.is_nobody(CENTRE), ONE.is_nobody(OTHER)) == (True, False)


def test_what_ships_belongs_to_the_embedder_of_the_measured_limits_and_is_read_as_written(tmp_path):
    sha256 = read_open_set(embedded_dir() / "dlib_open_set.npz").embedder_sha256
    ours = face_weights_of(sha256)
    assert ours is not None
    assert np.linalg.norm(ours.centre) == pytest.approx(1)
    assert face_weights_of("0" * 64) is None
    write_face_weights(ours, tmp_path / "again.npz")
    again = read_face_weights(tmp_path / "again.npz")
    np.testing.assert_allclose(again.centre, ours.centre, atol=1e-3)
    assert (again.decay, again.apart_cosine, again.provenance) == (ours.decay, ours.apart_cosine, ours.provenance)


@pytest.mark.parametrize("numbers", [[1.0] * 4, [1.0, 1.0, np.nan, 1.0, 1.0], None])
def test_damaged_weights_are_a_model_error(tmp_path, numbers):
    path = tmp_path / "dlib_face_weights.npz"
    if numbers is not None:
        np.savez(path, centre=CENTRE, numbers=numbers, embedder_sha256="f", provenance="")
    with pytest.raises(ModelError, match="does not hold the weights of faces"):
        read_face_weights(path)
