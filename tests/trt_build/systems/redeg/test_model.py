"""Omega and what it does, at the sizes of small pictures."""

import pytest

torch = pytest.importorskip("torch", reason="the networks are torch modules")

from tests.trt_build.systems.redeg.made import TINY, tiny_networks  # noqa: E402
from trt_build.systems.redeg.model import Judge  # noqa: E402


def test_omega_has_one_length_whatever_the_pictures():
    model = tiny_networks()
    for scale in (0.1, 1.0):
        omega = model.omega(scale * torch.rand(3, 1, 64, 64), scale * torch.rand(3, 1, 16, 16))
        assert omega.shape == (3, TINY.dim)
        torch.testing.assert_close(omega.square().mean(1), torch.ones(3), atol=1e-3, rtol=0)


def test_makes_small_pictures():
    made = tiny_networks().apply_to(torch.rand(3, 1, 64, 64), torch.randn(3, TINY.dim), 16)
    assert made.shape == (3, 1, 16, 16)
    assert made.min() >= 0
    assert made.max() <= 1


def test_the_judge_sees_the_picture_what_it_was_made_from_and_omega():
    torch.manual_seed(0)
    judge = Judge(4, TINY.dim).eval()
    parts = [torch.rand(2, 1, 16, 16), torch.rand(2, 1, 64, 64), torch.randn(2, TINY.dim)]
    logits = judge(*parts)
    assert logits.shape == (2, 1, 16, 16)
    for index in range(3):
        changed = list(parts)
        changed[index] = 1 - parts[index]
        assert not torch.allclose(judge(*changed), logits)
