"""RRDBNet: the published size, and with its bicubic skip it starts as bicubic."""

import pytest

torch = pytest.importorskip("torch", reason="generators are torch modules")

from tests.trt_build.networks.small import count, luma, small, stirred, untouched  # noqa: E402
from trt_build.networks.generators.catalog import build_generator  # noqa: E402
from trt_build.networks.generators.interpolation import Bicubic  # noqa: E402


def test_has_the_published_parameters():
    two_more_channels = 2 * 9 * 64 + 2 * (9 * 64 + 1)
    with torch.device("meta"):
        model = build_generator("rrdb", {"width": 64, "growth": 32, "blocks": 23})
    assert count(model) + two_more_channels == 16_697_987


def test_starts_as_bicubic():
    picture = luma(1, 1, 9, 7)
    assert torch.equal(small("rrdb")(picture), Bicubic(4)(picture))


def test_as_published_there_is_no_skip():
    ours, published, picture = stirred(small("rrdb")), small("rrdb", residual=False), luma(1, 1, 9, 7)
    published.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours(picture), published(picture) + Bicubic(4)(picture))


@pytest.mark.parametrize("residual", [True, False])
def test_everything_learns(residual):
    assert not untouched(small("rrdb", residual=residual))
