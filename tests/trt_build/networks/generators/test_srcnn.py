"""SRCNN: the published size, and its residual form starts as bicubic."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")

from tests.trt_build.networks.small import count, luma, small, untouched  # noqa: E402
from trt_build.networks.generators.catalog import build_generator  # noqa: E402
from trt_build.networks.generators.interpolation import Bicubic  # noqa: E402


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_has_the_published_parameters(scale):
    assert count(build_generator("srcnn", {"scale": scale})) == 8129


def test_residual_form_starts_as_bicubic():
    picture = luma(1, 1, 9, 7)
    assert torch.equal(small("srcnn", residual=True)(picture), Bicubic(4)(picture))


@pytest.mark.parametrize("residual", [False, True])
def test_everything_learns(residual):
    assert not untouched(small("srcnn", residual=residual))


def test_a_flat_picture_has_no_border():
    found = small("srcnn")(torch.full((1, 1, 6, 6), 0.5))
    torch.testing.assert_close(found, found[:, :, :1, :1].expand_as(found))
