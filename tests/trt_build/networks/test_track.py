from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from trt_build.networks.generators.compact import Compact, CompactOptions  # noqa: E402
from trt_build.networks.track import TrackNetwork  # noqa: E402

SMALL = CompactOptions(width=8, blocks=1)


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = TrackNetwork(SMALL, width=8, blocks=1).eval()
    torch.nn.init.normal_(made.encoder.last.weight, std=0.05)
    return made


def still(tracks: int, frames: int):
    return torch.eye(2, 3).expand(tracks, frames, 2, 3).contiguous(), torch.ones(tracks, frames)


@torch.inference_mode()
def test_untrained_it_is_the_single_frame_network_for_one_frame_and_the_mean_for_several(network):
    luma = torch.rand(2, 3, 1, 9, 7)
    affine, weight = still(2, 3)
    single = network.encoder(luma.flatten(0, 1)).unflatten(0, (2, 3))
    one, nothing = network(luma[:, :1], affine[:, :1], weight[:, :1])
    torch.testing.assert_close(one, single[:, 0], atol=1e-5, rtol=0)
    assert nothing.max() < 1e-3
    several, deviation = network(luma, affine, weight)
    torch.testing.assert_close(several, single.mean(dim=1), atol=1e-5, rtol=0)
    torch.testing.assert_close(deviation, single.std(dim=1, correction=0), atol=1e-3, rtol=0)


@torch.inference_mode()
def test_maps_say_where_a_frame_shows_the_reference_and_what_it_does_not_show_counts_nothing(network):
    luma = torch.rand(1, 1, 1, 16, 16).repeat(1, 2, 1, 1, 1)
    luma[:, 1] = luma[:, 1].roll(2, dims=-1)  # eight pixels of the enlarged picture to the right
    affine, weight = still(1, 2)
    affine[:, 1, 0, 2] = 8
    single = network.encoder(luma[:, 0])
    picture, deviation = network(luma, affine, weight)
    inner = slice(24, 34)  # of both frames farther from the border than the network sees
    torch.testing.assert_close(picture[..., inner], single[..., inner], atol=1e-4, rtol=0)
    assert deviation[..., -8:].max() < 1e-3, "out of the other frame's sight: the reference alone"


@torch.inference_mode()
def test_weights_count_by_their_ratio_and_a_frame_of_weight_nothing_is_not_seen(network):
    luma = torch.rand(1, 2, 1, 8, 8)
    affine, weight = still(1, 2)
    alone, _ = network(luma[:, :1], affine[:, :1], weight[:, :1])
    without, _ = network(luma, affine, weight * torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(without, alone, atol=1e-4, rtol=0)
    double, _ = network(luma, affine, 2 * weight)
    torch.testing.assert_close(double, network(luma, affine, weight)[0])


def test_it_has_the_size_that_was_promised():
    network = TrackNetwork(CompactOptions())
    assert sum(one.numel() for one in network.parameters()) <= 450_000
    assert isinstance(network.encoder, Compact)
