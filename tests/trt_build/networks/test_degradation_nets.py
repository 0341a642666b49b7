"""DegNet and SynNet: omega of a pair, and its degradation put on a picture."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")
from torch.nn import functional  # noqa: E402

from tests.trt_build.networks.small import count, luma  # noqa: E402
from trt_build.networks.degradation_nets import DegNet, ModulatedConv, SynNet  # noqa: E402
from trt_build.recipes.redeg import DegradationOptions  # noqa: E402

TINY = DegradationOptions(multiplier=1 / 32)
HQ = luma(3, 1, 64, 64)
LQ = functional.avg_pool2d(HQ, 5, stride=1, padding=2)


def test_have_the_published_parameters_and_by_default_a_sixteenth():
    """Published for three channels; one makes 0.1 % of difference."""
    with torch.device("meta"):
        whole = DegradationOptions(multiplier=1)
        deg, syn = DegNet(whole), SynNet(whole)
    small_deg, small_syn = DegNet(DegradationOptions()), SynNet(DegradationOptions())
    assert count(deg) == pytest.approx(12.7e6, rel=5e-3)
    assert count(syn.pyramid) + count(syn.bottleneck) == pytest.approx(15.6e6, rel=5e-3)
    assert count(syn) == pytest.approx(15.6e6 + 43.9e6, rel=5e-3)
    assert count(deg) / count(small_deg) == pytest.approx(16, rel=0.01)
    assert count(syn) / count(small_syn) == pytest.approx(16, rel=0.01)


def test_omega_is_a_vector_that_degrades():
    torch.manual_seed(0)
    deg, syn = DegNet(TINY), SynNet(TINY)
    omega = deg(HQ, LQ)
    assert omega.shape == (3, TINY.dim) == (3, 16)
    found = syn(HQ, omega)
    assert found.shape == HQ.shape
    assert found.min() >= 0
    assert found.max() <= 1


def test_everything_learns_through_omega():
    torch.manual_seed(0)
    deg, syn = DegNet(TINY), SynNet(TINY)
    (syn(HQ, deg(HQ, LQ)) - LQ).abs().mean().backward()
    for net in (deg, syn):
        assert all(parameter.grad.abs().sum() > 0 for parameter in net.parameters())


def test_content_starts_without_weight():
    assert SynNet(TINY).strength.tolist() == [0] * 5


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("size", [1, 3])
def test_modulated_convolution_is_that_of_each_samples_weights(demodulate, size):
    torch.manual_seed(0)
    layer = ModulatedConv(6, 4, size, 5, demodulate)
    x, style = torch.randn(3, 6, 7, 9), torch.randn(3, 5)
    expected = []
    for one, scale in zip(x, layer.modulation(style), strict=True):
        weight = layer.weight / (6 * size**2) ** 0.5 * scale[None, :, None, None]
        if demodulate:
            weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        expected.append(functional.conv2d(one[None], weight, padding=size // 2))
    torch.testing.assert_close(layer(x, style), torch.cat(expected), atol=1e-5, rtol=1e-5)


def test_style_does_not_depend_on_the_length_of_omega():
    torch.manual_seed(0)
    syn, omega = SynNet(TINY), torch.randn(2, TINY.dim)
    torch.testing.assert_close(syn.style(omega), syn.style(7 * omega))
