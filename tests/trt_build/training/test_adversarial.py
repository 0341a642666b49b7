"""Adversarial losses against their definitions."""

import math

import pytest

torch = pytest.importorskip("torch", reason="losses are torch functions")

from trt_build.recipes.losses import AdversarialSpec  # noqa: E402
from trt_build.training.adversarial import AdversarialLoss, build_discriminator  # noqa: E402

FAKE, REAL = torch.tensor([-1.0, 0.5]), torch.tensor([2.0, 0.0])


def softplus(x):
    return math.log1p(math.exp(x))


def mean(values):
    return sum(values) / len(values)


def test_bce():
    loss = AdversarialLoss("bce")
    assert loss.generator(FAKE, REAL).item() == pytest.approx(mean([softplus(1), softplus(-0.5)]))
    expected = (mean([softplus(-2), softplus(0)]) + mean([softplus(-1), softplus(0.5)])) / 2
    assert loss.discriminator(FAKE, REAL).item() == pytest.approx(expected)


def test_hinge():
    loss = AdversarialLoss("hinge")
    assert loss.generator(FAKE, REAL).item() == pytest.approx(0.25)
    assert loss.discriminator(FAKE, REAL).item() == pytest.approx((mean([0, 1]) + mean([0, 1.5])) / 2)


def test_relativistic_average_is_the_same_for_both_with_the_sides_changed():
    loss = AdversarialLoss("relativistic")
    real, fake = [2.0 + 0.25, 0.25], [-1.0 - 1.0, 0.5 - 1.0]
    expected = (mean([softplus(x) for x in real]) + mean([softplus(-x) for x in fake])) / 2
    assert loss.generator(FAKE, REAL).item() == pytest.approx(expected)
    assert loss.discriminator(FAKE, REAL).item() == pytest.approx(loss.generator(REAL, FAKE).item())


@pytest.mark.parametrize("name", ["srgan", "patch", "unet"])
def test_each_discriminator_of_a_recipe_can_be_made(name):
    judge = build_discriminator(AdversarialSpec(weight=1.0, discriminator=name, width=4))
    assert torch.isfinite(judge(torch.rand(2, 1, 32, 32))).all()
