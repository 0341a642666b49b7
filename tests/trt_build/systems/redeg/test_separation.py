"""Figures of separation have known answers for omegas and pictures made by hand."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the networks are torch modules")

from tests.trt_build.systems.redeg.made import tiny_networks
from tests.trt_build.tiny import smooth_faces
from trt_build.systems.redeg import separation as one

RNG = np.random.default_rng(0)
FACES = smooth_faces(5, 64).images


def test_variance_is_shared_between_cameras_and_faces():
    cameras, faces = RNG.standard_normal((6, 1, 9)), RNG.standard_normal((1, 5, 9))
    assert one._explained(np.repeat(cameras, 5, 1)) == pytest.approx((1, 0))
    assert one._explained(np.repeat(faces, 6, 0)) == pytest.approx((0, 1))
    both = one._explained(cameras + faces)
    assert sum(both) == pytest.approx(1)
    noise = one._explained(RNG.standard_normal((6, 5, 2000)))
    assert noise == pytest.approx((5 / 29, 4 / 29), abs=0.01), "means of few are not 0"


def test_omega_finds_its_camera():
    cameras = RNG.standard_normal((6, 1, 9))
    assert one._found(np.repeat(cameras, 5, 1) + 0.01 * RNG.standard_normal((6, 5, 9))) == 1
    assert one._found(np.repeat(RNG.standard_normal((1, 5, 9)), 6, 0)) == pytest.approx(1 / 6)


def test_signatures_tell_noise_from_blur():
    plain = FACES.reshape(5, 16, 4, 16, 4).mean((2, 4))
    noisy = plain + 8 * RNG.standard_normal(plain.shape)
    soft = np.stack([(face + np.roll(face, 1, 1) + np.roll(face, 1, 0) + np.roll(face, -1, 1)) / 4 for face in plain])
    strength, sharpness, grain = one.signature(np.rint(np.stack([plain, noisy, soft])).clip(0, 255).astype(np.uint8), FACES)
    assert (strength[0] < strength[1]).all()
    assert (sharpness[2] < sharpness[0] + 0.01).all()
    assert (sharpness[0] < sharpness[1]).all()
    assert abs(grain[1].mean()) < 0.3


def test_all_figures_and_the_grid_of_untrained_networks():
    sets = one.crossed(FACES, 16, 3, 0.5)
    assert sets.small.shape == (3, 5, 16, 16)
    figures = one.separation(tiny_networks(), sets)
    assert figures["omega_chance"] == pytest.approx(1 / 3)
    assert 0 <= figures["omega_camera"] + figures["omega_face"] <= 1 + 1e-6
    assert {"strength_r", "sharpness_r", "grain_r", "swapped_psnr", "foreign_psnr", "omega_found"} <= set(figures)
    picture = one.grid(tiny_networks(), sets, 2, 4)
    assert picture.shape == (64 * 5, 64 * 4)
    np.testing.assert_array_equal(picture[:64, :64], FACES[0])
    np.testing.assert_array_equal(picture[64:128:4, :64:4], sets.small[0, 0])
