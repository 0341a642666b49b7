"""Losses against their definitions."""

import math

import pytest

torch = pytest.importorskip("torch", reason="losses are torch functions")

from trt_build.recipes.losses import LossSpec  # noqa: E402
from trt_build.systems.generator.losses import GeneratorLoss, IdentityLoss, charbonnier, fourier_l1, shrunk  # noqa: E402


def test_charbonnier():
    difference = torch.tensor([3.0, -4.0])
    expected = (math.sqrt(9.01) + math.sqrt(16.01)) / 2
    assert charbonnier(difference, 0.1).item() == pytest.approx(expected)


def test_fourier_of_a_constant_is_its_mean_only():
    assert fourier_l1(torch.full((1, 1, 8, 8), 2.0)).item() == pytest.approx(16 / 40)


def test_a_loss_is_small_for_equal_pictures_and_has_gradients():
    picture = torch.rand(1, 1, 8, 8)
    moved = picture.clone().requires_grad_()
    loss = GeneratorLoss(LossSpec(charbonnier_epsilon=1e-3))
    assert loss(picture, picture, shrunk(picture, 4))[0].item() == pytest.approx(1e-3, rel=1e-3)
    loss(moved + 0.1, picture, shrunk(picture, 4))[0].backward()
    assert torch.isfinite(moved.grad).all()


@pytest.mark.parametrize(("pixel", "expected"), [("l1", 0.1), ("mse", 0.01), ("charbonnier", math.hypot(0.1, 1e-3))])
def test_pixel_losses(pixel, expected):
    truth = torch.rand(2, 1, 8, 8)
    loss, parts = GeneratorLoss(LossSpec(pixel=pixel, pixel_weight=3, fourier_weight=0))(truth + 0.1, truth, shrunk(truth, 2))
    assert loss.item() == pytest.approx(3 * expected, rel=1e-4)
    assert parts == {"pixel": pytest.approx(3 * expected, rel=1e-4)}


def test_consistency_looks_at_the_shrunk_result_alone():
    low = torch.rand(1, 1, 4, 4)
    spec = LossSpec(pixel_weight=0, fourier_weight=0, consistency_weight=2)
    result = low.repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert GeneratorLoss(spec)(result, torch.rand(1, 1, 16, 16), low)[0].item() == pytest.approx(0, abs=1e-6)
    assert GeneratorLoss(spec)(result + 0.25, result, low)[0].item() == pytest.approx(0.5)


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
    low = shrunk(face, 4)
    plain, with_it = (GeneratorLoss(LossSpec(identity_weight=weight))(moved, face, low)[0].item() for weight in (0.0, 2.0))
    assert with_it == pytest.approx(plain + 2 * apart.item(), rel=1e-4)
