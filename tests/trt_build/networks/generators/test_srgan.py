"""SRResNet: the published size, with and without batch norm."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")
from torch import nn  # noqa: E402

from tests.trt_build.networks.small import count, small, untouched  # noqa: E402
from trt_build.networks.generators.catalog import build_generator  # noqa: E402

TWO_MORE_CHANNELS = 2 * 81 * 64 + 2 * (81 * 64 + 1)
"""What three colour channels in and out add to one."""


@pytest.mark.parametrize(("scale", "published"), [(4, 1.55e6), (2, 1.40e6)])
def test_has_the_published_parameters(scale, published):
    assert count(build_generator("srgan", {"scale": scale})) + TWO_MORE_CHANNELS == pytest.approx(published, abs=5e3)


@pytest.mark.parametrize("batch_norm", [True, False])
def test_batch_norm_is_an_option(batch_norm):
    model = small("srgan", batch_norm=batch_norm)
    assert any(isinstance(module, nn.BatchNorm2d) for module in model.modules()) == batch_norm
    assert not untouched(model)
