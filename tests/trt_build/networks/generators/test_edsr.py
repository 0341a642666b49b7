"""EDSR-baseline: the published size."""

import pytest

pytest.importorskip("torch", reason="generators are torch modules")

from tests.trt_build.networks.small import count, small, untouched
from trt_build.networks.generators.catalog import build_generator

TWO_MORE_CHANNELS = 2 * 9 * 64 + 2 * (9 * 64 + 1)
"""What three colour channels in and out add to one."""


@pytest.mark.parametrize(("scale", "published"), [(2, 1_369_859), (3, 1_554_499), (4, 1_517_571)])
def test_has_the_published_parameters(scale, published):
    assert count(build_generator("edsr", {"scale": scale})) + TWO_MORE_CHANNELS == published


def test_everything_learns():
    assert not untouched(small("edsr"))
