"""RRDN: the size of its source, two pictures of one pass, bicubic at the start."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")

from tests.trt_build.networks.small import count, luma, small, stirred, untouched  # noqa: E402
from trt_build.networks.generators.catalog import build_generator  # noqa: E402
from trt_build.networks.generators.interpolation import Bicubic  # noqa: E402

PICTURE = luma(2, 1, 9, 7)


def test_has_the_parameters_of_its_source_and_little_more():
    model = build_generator("rrdn", {})
    source = sum(count(part) for part in (model.head, model.body, model.tail, model.coarse, model.last_coarse))
    two_more_channels = 2 * 9 * 32 + 2 * 16 * (9 * 32 + 1) + (9 * 9 + 3) - (9 + 1)
    assert source + two_more_channels == pytest.approx(1.27e6, abs=5e3)
    assert count(model) < 1.35e6


def test_forward_gives_the_largest_of_the_pyramid():
    model = stirred(small("rrdn"))
    pictures = model.pyramid(PICTURE)
    assert [picture.shape[-1] for picture in pictures] == [scale * 7 for scale in model.scales]
    assert torch.equal(model(PICTURE), pictures[-1])


def test_starts_as_bicubic():
    large, larger = small("rrdn").pyramid(PICTURE)
    assert torch.equal(large, Bicubic(4)(PICTURE))
    assert torch.equal(larger, Bicubic(2)(large))


def test_everything_learns():
    assert not untouched(small("rrdn"))


def test_attention_sees_the_whole_picture():
    """A pixel changes the far end of a picture that is wider than the convolutions reach."""
    model = stirred(small("rrdn"))
    flat = torch.full((1, 1, 4, 80), 0.5)
    spot = flat.clone()
    spot[..., 0] = 1.0
    assert (model(spot) - model(flat))[..., -4:].abs().max() > 0
