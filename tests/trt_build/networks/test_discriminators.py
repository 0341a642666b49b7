"""Discriminators: logits of any size of picture, one a picture, a patch or a pixel."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")
from torch import nn  # noqa: E402
from torch.nn.utils import parametrize  # noqa: E402

from tests.trt_build.networks.small import count, luma  # noqa: E402
from trt_build.networks.discriminators import PatchDiscriminator, SRGANDiscriminator, UNetDiscriminator  # noqa: E402


@pytest.mark.parametrize(("height", "width"), [(64, 64), (33, 50), (8, 8)])
def test_logits_of_any_size(height, width):
    picture = luma(2, 1, height, width)
    assert SRGANDiscriminator(8)(picture).shape == (2, 1)
    assert PatchDiscriminator(8)(picture).shape == (2, 1, (height + 3) // 4, (width + 3) // 4)
    assert UNetDiscriminator(8)(picture).shape == picture.shape


@pytest.mark.parametrize("kind", [SRGANDiscriminator, PatchDiscriminator, UNetDiscriminator])
def test_everything_learns_and_so_does_the_picture(kind):
    torch.manual_seed(0)
    model, picture = kind(8), luma(2, 1, 24, 24).requires_grad_()
    nn.functional.softplus(-model(picture)).mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    assert picture.grad.abs().sum() > 0


def test_unet_has_the_published_parameters():
    two_more_channels = 2 * 9 * 64
    assert count(UNetDiscriminator(64)) + two_more_channels == 4_376_897
    assert count(UNetDiscriminator()) == pytest.approx(1.1e6, rel=0.01)


def test_unet_is_spectrally_normal_but_for_its_ends():
    model = UNetDiscriminator(8)
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    plain = [module for module in convolutions if not parametrize.is_parametrized(module, "weight")]
    assert len(convolutions) == 10
    assert plain == [model.first, model.last]
    norm = torch.linalg.matrix_norm(model.down[0].weight.detach().flatten(1), 2)
    assert norm == pytest.approx(1, abs=0.05)


def test_srgan_has_eight_convolutions_and_norms_all_but_the_first():
    layers = list(SRGANDiscriminator().features)
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in convolutions] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [layer.stride[0] for layer in convolutions] == [1, 2, 1, 2, 1, 2, 1, 2]
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in layers) == 7
