from dataclasses import replace

import numpy as np
import pytest

from engine.errors import ModelError
from engine.models.dlib_adaptation import adapted, write_adaptation
from engine.models.dlib_embedder import packaged_weights
from engine.models.dlib_weights import Convolution, read_dlib_weights


@pytest.fixture(scope="module")
def weights():
    return read_dlib_weights(packaged_weights())


@pytest.fixture
def changed(weights):
    """The stem's filters and one bias moved a little."""
    rng = np.random.default_rng(0)
    stem = Convolution(
        weights.stem.weight + rng.normal(0, 1e-3, weights.stem.weight.shape).astype(np.float32), weights.stem.bias
    )
    first, second = weights.blocks[4]
    bias = second.bias + rng.normal(0, 1e-3, second.bias.shape).astype(np.float32)
    block = (first, Convolution(second.weight, bias))
    return replace(weights, stem=stem, blocks=(*weights.blocks[:4], block, *weights.blocks[5:]))


def test_what_changed_is_kept_and_nothing_else(weights, changed, tmp_path):
    path = tmp_path / "small.npz"
    error = write_adaptation(weights, changed, path)
    assert 0 < error < 2e-6
    with np.load(path) as stored:
        assert set(stored.files) == {"stem.weight", "4.second.bias"}
    again = adapted(weights, path)
    np.testing.assert_allclose(again.stem.weight, changed.stem.weight, atol=error * 1.001)
    np.testing.assert_allclose(again.blocks[4][1].bias, changed.blocks[4][1].bias, atol=error * 1.001)
    assert again.blocks[13][0].weight is weights.blocks[13][0].weight
    assert again.projection is weights.projection
    assert again.size == weights.size


def test_an_unchanged_network_is_an_empty_file(weights, tmp_path):
    assert write_adaptation(weights, weights, tmp_path / "same.npz") == 0
    assert adapted(weights, tmp_path / "same.npz").stem.weight is weights.stem.weight


@pytest.mark.parametrize(("name", "values"), [("stem.weight", [0] * 3), ("nose", [0] * 3), ("stem.bias", [np.nan] * 32)])
def test_differences_of_something_else_are_refused(weights, tmp_path, name, values):
    np.savez(tmp_path / "other.npz", **{name: np.array(values, np.float16)})
    with pytest.raises(ModelError, match="install facestream again"):
        adapted(weights, tmp_path / "other.npz")


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_refused(weights, tmp_path, content):
    path = tmp_path / "small.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"small\.npz"):
        adapted(weights, path)
