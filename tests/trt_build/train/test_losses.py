"""Losses against their definitions."""

import math

import pytest

torch = pytest.importorskip("torch", reason="losses are torch functions")

from trt_build.train.losses import FidelityLoss, IdentityLoss, charbonnier, fourier_l1  # noqa: E402
from trt_build.train.recipe import LossSpec  # noqa: E402


def test_charbonnier():
    difference = torch.tensor([3.0, -4.0])
    expected = (math.sqrt(9.01) + math.sqrt(16.01)) / 2
    assert charbonnier(difference, 0.1).item() == pytest.approx(expected)


def test_fourier_of_a_constant_is_its_mean_only():
    assert fourier_l1(torch.full((1, 1, 8, 8), 2.0)).item() == pytest.approx(16 / 40)


def test_fidelity_is_small_for_equal_pictures_and_has_gradients():
    picture = torch.rand(1, 1, 8, 8)
    moved = picture.clone().requires_grad_()
    loss = FidelityLoss(LossSpec(charbonnier_epsilon=1e-3))
    assert loss(picture, picture).item() == pytest.approx(1e-3, rel=1e-3)
    loss(moved + 0.1, picture).backward()
    assert torch.isfinite(moved.grad).all()


def test_the_identity_is_nothing_for_the_same_face_and_teaches_the_result_alone():
    face = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    moved, truth = (face + 0.1).requires_grad_(), face.clone().requires_grad_()
    loss = IdentityLoss()
    assert loss(face, face).item() == 0
    apart = loss(moved, truth)
    assert apart.item() > 0
    apart.backward()
    assert moved.grad.abs().max() > 0
    assert truth.grad is None
    assert not any(parameter.requires_grad for parameter in loss.parameters())
    plain, with_it = (FidelityLoss(LossSpec(identity_weight=weight))(moved, face).item() for weight in (0.0, 2.0))
    assert with_it == pytest.approx(plain + 2 * apart.item(), rel=1e-4)
