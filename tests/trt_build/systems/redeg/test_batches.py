"""Two faces through one camera: the same settings, other noise; a batch depends on its step alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.trt_build.tiny import smooth_faces
from trt_build.systems.redeg.batches import CameraBatches, SameCamera, through_camera

FACES = smooth_faces(8, 64).images
REAL = (FACES[:4], FACES[:4, ::4, ::4])


def batches(seed=7):
    return CameraBatches(FACES, REAL, 3, 0.5, seed)


@given(camera=st.integers(0, 2**62), pictures=st.tuples(st.integers(0, 99), st.integers(100, 199)))
def test_a_camera_keeps_its_settings_whatever_the_noise_costs(camera, pictures):
    one, other = (SameCamera(camera, picture) for picture in pictures)
    settings = []
    for rng, level in ((one, 3.0), (other, 200.0)):
        drawn = [rng.uniform()]
        rng.poisson(np.full(50, level))
        rng.standard_normal(7 if level < 100 else 70)
        settings.append([*drawn, rng.integers(30, 96), rng.random()])
    assert settings[0] == settings[1]
    assert not np.array_equal(SameCamera(camera, pictures[0]).poisson(50, 20), SameCamera(camera, pictures[1]).poisson(50, 20))


def test_one_camera_does_the_same_kind_of_damage_and_another_does_not():
    face = FACES[0]
    plain = face.reshape(16, 4, 16, 4).mean((1, 3))
    damage = [[np.std(through_camera(face, 16, camera, picture, 0.0) - plain) for picture in range(4)] for camera in range(12)]
    assert np.var(np.mean(damage, axis=1)) > 5 * np.mean(np.var(damage, axis=1))


def test_a_step_gives_the_same_batch_in_any_order():
    one, two = batches(), batches()
    wanted = [one[step] for step in range(4)]
    for step in reversed(range(4)):
        for left, right in zip(two[step], wanted[step], strict=True):
            np.testing.assert_array_equal(left, right)
    assert not np.array_equal(wanted[0][0], batches(seed=8)[0][0])


def test_shapes_and_ranges():
    shapes = [part.shape for part in batches()[0]]
    assert shapes == [(3, 1, 64, 64), (3, 1, 16, 16)] * 3
    for part in batches()[1]:
        assert part.dtype == np.float32
        assert part.min() >= 0
        assert part.max() <= 1


def test_small_faces_are_mirrored_with_their_sharp_ones():
    for step in range(6):
        parts = batches()[step]
        for sharp, small in ((parts[0], parts[1]), (parts[2], parts[3])):
            shrunk = sharp.reshape(3, 16, 4, 16, 4).mean((2, 4))
            direct, mirrored = (np.abs(shrunk[..., ::flip] - small[:, 0]).mean((1, 2)) for flip in (1, -1))
            assert (direct < mirrored).all()
