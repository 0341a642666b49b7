"""The losses of the detector: score, box and points."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from trt_build.networks.grey_detector import boxes_of
from trt_build.recipes.detector import DetectorLossSpec
from trt_build.systems.detector.targets import IGNORE, LEARN


def detection_loss(
    raw: Tensor,
    cells: tuple[Tensor, Tensor],
    targets: tuple[Tensor, Tensor, Tensor],
    spec: DetectorLossSpec,
    fraction: float,
    soft: Tensor | None = None,
    soft_weight: float = 0.0,
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss and its parts.

    The score is trained towards ``0.5 + 0.5 IoU`` of the cell's own box by the quality focal loss (Li et al., "Generalized
    focal loss", 2020), the box by ``1 - DIoU`` (Zheng et al., 2020) and the logarithm of its size, the points by a smooth L1
    in shares of the face's size.

    Args:
        raw: (N, cells, 15) of ``GreyDetector.forward``.
        cells: of ``cells_of``.
        targets: state (N, cells), boxes (N, cells, 4), points (N, cells, 10), as in ``Targets``.
        spec: the weights.
        fraction: spent share of the budget, 0 to 1.
        soft: (N, cells) scores of a teacher, which count where ``state`` is ``IGNORE``.
        soft_weight: their weight.
    """
    state, boxes, points = targets
    learn = state == LEARN
    count = learn.sum().clamp(min=1)
    logit, stride = raw[..., 0], cells[1]
    found = boxes_of(raw[..., 1:5], cells)[learn]
    wanted = boxes[learn]
    iou, diou = _overlap(found, wanted)
    quality = torch.zeros_like(logit)
    quality[learn] = 0.5 + 0.5 * iou.detach().clamp(min=0).to(quality.dtype)
    if soft is not None:  # the teacher decides where the labels say nothing
        doubtful = state == IGNORE
        quality[doubtful] = soft[doubtful].to(quality.dtype)
    focal = functional.binary_cross_entropy_with_logits(logit, quality, reduction="none")
    focal = focal * (logit.sigmoid().detach() - quality).abs().pow(2)
    score = focal[state != IGNORE].sum() / count
    if soft is not None:
        score = score + soft_weight * focal[state == IGNORE].sum() / count
    steps = stride.expand_as(logit)[learn][:, None]
    size = functional.smooth_l1_loss(raw[..., 3:5][learn], (wanted[:, 2:] / steps).log(), beta=0.1, reduction="none").sum(dim=1)
    box = (1 - diou + size).sum() / count
    scale = wanted[:, 2:].prod(dim=1).sqrt()[:, None] / steps
    known = torch.isfinite(points[learn]).all(dim=1)
    off = functional.smooth_l1_loss(
        (raw[..., 5:][learn] / scale)[known], (points[learn] / scale)[known], beta=0.02, reduction="none"
    )
    point = off.sum() / known.sum().clamp(min=1)
    weight = spec.late_points if fraction >= spec.late_from else spec.points
    loss = spec.score * score + spec.box * box + weight * point
    return loss, {"score": float(score.detach()), "box": float(box.detach()), "points": float(point.detach())}


def unlikeness(features: Tensor, chosen: Tensor, wanted: Tensor) -> Tensor:
    """Return the dissimilarity of the network's and the teacher's features, 0 to 1: the angle between them, regardless of
    magnitude.

    Args:
        features: (N, cells, channels), of the network.
        chosen: (N, K), numbers of cells.
        wanted: (N, K, channels), the teacher's features of these cells.
    """
    ours = features.gather(1, chosen[..., None].expand(-1, -1, features.shape[2])).float()
    return (1 - functional.cosine_similarity(ours, wanted, dim=2, eps=1e-4)).mean()


def _overlap(found: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and DIoU of boxes as x, y, width, height."""
    low, high = (
        torch.maximum(found[:, :2], wanted[:, :2]),
        torch.minimum(found[:, :2] + found[:, 2:], wanted[:, :2] + wanted[:, 2:]),
    )
    shared = (high - low).clamp(min=0).prod(dim=1)
    iou = shared / (found[:, 2:].prod(dim=1) + wanted[:, 2:].prod(dim=1) - shared).clamp(min=1e-6)
    outer_low = torch.minimum(found[:, :2], wanted[:, :2])
    outer_high = torch.maximum(found[:, :2] + found[:, 2:], wanted[:, :2] + wanted[:, 2:])
    diagonal = (outer_high - outer_low).pow(2).sum(dim=1).clamp(min=1e-6)
    apart = (found[:, :2] + found[:, 2:] / 2 - wanted[:, :2] - wanted[:, 2:] / 2).pow(2).sum(dim=1)
    return iou, iou - apart / diagonal
