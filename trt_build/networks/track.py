"""`TrackNetwork`: one luma picture of several frames of a face, registered by affine maps.

    each frame: compact encoder -> picture, two features and a confidence, all at 4 times its size
    each is warped to the reference; weights = softmax over frames of confidence + log prior - disagreement
    weighted mean and deviation -> pixel-unshuffle -> small decoder at low resolution -> correction of the mean

All that is new adds nothing at the start, so that step 0 *is* the mean of the registered pictures of the single-frame
network, and for one frame that network itself. Warping happens at 4 times the size, where pictures are smooth.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from trt_build.networks.generators.compact import NEGATIVE_SLOPE, Compact, CompactOptions, ResidualBlock
from trt_build.networks.generators.interpolation import start_at_zero

SCALE = 4
MAPS = 4
"""Number of maps that are warped: the picture, two features, the confidence."""
_LEAST_PRIOR = 1e-6
_OUTSIDE = -30.0
"""Added to the log weight of a place that a frame does not show, so that a frame that shows it wins whatever its weight."""
_LEAST_DEVIATION = 0.02
"""Differences between frames, in [0, 1]; smaller ones are noise."""
_NEIGHBOURS = 5
"""Side of the square over which disagreement is averaged."""


class TrackNetwork(nn.Module):
    """See the module; ``width`` and ``blocks`` are the decoder's."""

    def __init__(self, options: CompactOptions, width: int = 32, blocks: int = 2) -> None:
        super().__init__()
        planes = SCALE * SCALE
        self.encoder = Compact(options)
        self.more = nn.Conv2d(options.width, (MAPS - 1) * planes, 3, padding=1)
        self.doubt = nn.Parameter(torch.zeros(()))
        """How much weight a frame loses where it disagrees with the others."""
        self.first = nn.Conv2d(MAPS * planes + planes + 1, width, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks)))
        self.last = nn.Conv2d(width, planes, 3, padding=1)
        for layer in (self.more, self.first, *(one for block in self.blocks for one in block.children())):
            assert isinstance(layer, nn.Conv2d)
            assert layer.bias is not None
            nn.init.kaiming_normal_(layer.weight, a=NEGATIVE_SLOPE)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.more.weight[-planes:] = 0  # the confidence
        start_at_zero(self.last)

    def forward(self, luma: Tensor, affine: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Fuse the frames of each of B tracks.

        Args:
            luma: (B, N, 1, H, W) in [0, 1]; the first frame is the reference.
            affine: (B, N, 2, 3): from pixels (x, y) of the enlarged reference to those of the enlarged frame, centres at
                whole numbers.
            weight: (B, N), not negative; 0 leaves a frame out, unless all are 0.

        Returns:
            The picture and the deviation of the frames from each other, each (B, 1, 4H, 4W), about [0, 1], not clamped.
        """
        tracks, frames, _, height, width = luma.shape
        maps = self._maps(luma.flatten(0, 1))
        place = _places(affine.flatten(0, 1), maps)
        seen = functional.grid_sample(maps, place, mode="bilinear", padding_mode="border", align_corners=False)
        of_each = (tracks, frames, -1, SCALE * height, SCALE * width)
        inside = (place.abs() <= 1).all(dim=-1).reshape(tracks, frames, SCALE * height, SCALE * width)
        prior = weight.clamp(min=_LEAST_PRIOR).log()[:, :, None, None] + torch.where(inside, 0.0, _OUTSIDE)
        return self._fused(seen.reshape(of_each), prior, maps.reshape(of_each)[:, 0, :1])

    def _maps(self, luma: Tensor) -> Tensor:
        """(M, 1, H, W) -> (M, MAPS, 4H, 4W) in float32."""
        shallow = self.encoder.head(luma)
        deep = self.encoder.tail(self.encoder.body(shallow)) + shallow
        picture = self.encoder.last(deep).float() + self.encoder.bicubic.planes(luma).float()
        return functional.pixel_shuffle(torch.cat([picture, self.more(deep).float()], dim=1), SCALE)

    def _fused(self, seen: Tensor, prior: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
        """``seen`` (B, N, MAPS, 4H, 4W), ``prior`` (B, N, 4H, 4W), ``reference`` (B, 1, 4H, 4W)."""
        pictures = seen[:, :, 0]
        trust = prior + seen[:, :, MAPS - 1]
        apart = (pictures - (trust.softmax(dim=1) * pictures).sum(dim=1, keepdim=True)).square()
        near = functional.avg_pool2d(apart, _NEIGHBOURS, 1, _NEIGHBOURS // 2, count_include_pad=False)
        share = (trust - self.doubt * torch.log1p(near / _LEAST_DEVIATION**2)).softmax(dim=1)
        mean = (share[:, :, None] * seen[:, :, : MAPS - 1]).sum(dim=1)
        picture = mean[:, :1]
        square = (share * (pictures - picture).square()).sum(dim=1, keepdim=True)
        deviation = (square + 1e-8).sqrt()
        alone = functional.avg_pool2d(share.square().sum(dim=1, keepdim=True), SCALE)  # 1 / how many frames count
        known = functional.pixel_unshuffle(torch.cat([mean, deviation, reference], dim=1), SCALE)
        hidden = functional.leaky_relu(self.first(torch.cat([known, alone], dim=1)), NEGATIVE_SLOPE)
        correction = functional.pixel_shuffle(self.last(self.blocks(hidden)).float(), SCALE)
        return picture + correction, deviation


def _places(affine: Tensor, like: Tensor) -> Tensor:
    """Return the sampling grid of `grid_sample` for maps (M, 2, 3): (M, 4H, 4W, 2), in -1 to 1 over a picture of the size of
    ``like``.
    """
    height, width = like.shape[2], like.shape[3]
    x = torch.arange(width, device=affine.device, dtype=torch.float32)
    y = torch.arange(height, device=affine.device, dtype=torch.float32)
    part = affine[:, :, None, None, :]
    there = part[..., 0] * x[None, None, None, :] + part[..., 1] * y[None, None, :, None] + part[..., 2]
    across = (2 * there[:, 0] + 1) / width - 1
    down = (2 * there[:, 1] + 1) / height - 1
    return torch.stack([across, down], dim=-1)


class OneTrack(nn.Module):
    """The network as it is exported: for the frames of one track."""

    def __init__(self, network: TrackNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, luma: Tensor, affine: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Fuse frames (N, 1, H, W) with maps (N, 2, 3) and weights (N,): two pictures (1, 1, 4H, 4W)."""
        picture, deviation = self.network(luma[None], affine[None], weight[None])
        return picture, deviation
