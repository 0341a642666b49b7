import numpy as np
import pytest

from trt_build.data.scenes.overlays import put_overlays

FACES = np.array([[60, 60, 40, 50]], np.float32)


@pytest.mark.parametrize("seed", range(30))
def test_writing_touches_no_face(seed):
    before = np.full((160, 200), 128, np.float32)
    after = put_overlays(before, FACES, np.random.default_rng(seed))
    np.testing.assert_array_equal(after[62:108, 62:98], before[62:108, 62:98])


def test_writing_is_seen():
    blank = np.full((160, 200), 128, np.float32)
    changed = [(put_overlays(blank, FACES, np.random.default_rng(seed)) != blank).mean() for seed in range(20)]
    assert np.median(changed) > 0.005
