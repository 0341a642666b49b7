"""Validation during training: gains over bicubic on the fixed sets, and sample pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from trt_build.data.face_sets import FaceSet, Score, score, score_bicubic
from trt_build.data.tensors import unit_tensor
from trt_build.measures.metrics import Luma8, bicubic
from trt_build.networks.perceptual import PerceptualLoss
from trt_build.recipes.losses import PerceptualSpec
from trt_build.training.run_state import Row

SHOWN = 8
_BATCH = 50


def enlarge_with(model: nn.Module, faces: Luma8) -> Luma8:
    """Run `model` on uint8 (N, h, w): uint8 (N, s*h, s*w), clamped and rounded."""
    device, parts = next(model.parameters()).device, []
    with torch.inference_mode():
        for start in range(0, len(faces), _BATCH):
            low = unit_tensor(faces[start : start + _BATCH]).to(device)
            high = model(low.contiguous(memory_format=torch.channels_last))
            parts.append((high.clamp(0, 1) * 255).round().byte()[:, 0].cpu().numpy())
    return np.concatenate(parts)


class Validator:
    """Scores a model on the fixed sets."""

    def __init__(self, sets: list[FaceSet], folder: Path, merit: str = "psnr") -> None:
        """`folder`: for the samples; `merit`: see `Recipe.merit`."""
        self._sets = sets
        self._folder = folder
        self._merit = merit
        self._features = PerceptualLoss(PerceptualSpec(weight=1.0)) if merit == "features" else None
        self._smooth = {faces.name: np.stack([bicubic(image, faces.scale) for image in faces.low]) for faces in sets}
        self._baseline: dict[str, Score] = {faces.name: score_bicubic(faces) for faces in sets}

    def measure(self, model: nn.Module) -> Row:
        """Return PSNR and SSIM with their gains by set, and `merit`: the mean gain of the recipe's criterion."""
        row: Row = {}
        for faces in self._sets:
            enlarged = enlarge_with(model, faces.low)
            result, base = score(enlarged, faces.high, faces.scale), self._baseline[faces.name]
            row[f"{faces.name}_psnr"] = result.psnr
            row[f"{faces.name}_psnr_gain"] = result.psnr - base.psnr
            row[f"{faces.name}_ssim"] = result.ssim
            row[f"{faces.name}_ssim_gain"] = result.ssim - base.ssim
            if self._features is not None:
                before, after = (self._distance(pictures, faces.high) for pictures in (self._smooth[faces.name], enlarged))
                row[f"{faces.name}_features"] = after
                row[f"{faces.name}_features_gain"] = 1 - after / before
        gains = [row[f"{faces.name}_{self._merit}_gain"] for faces in self._sets]
        return row | {"merit": float(np.mean(gains))}

    def write_samples(self, model: nn.Module, name: str) -> None:
        """Write a grid as PNG: for each set, rows of bicubic, network and truth."""
        rows = []
        for faces in self._sets:
            pictures = (self._smooth[faces.name][:SHOWN], enlarge_with(model, faces.low[:SHOWN]), faces.high[:SHOWN])
            rows += [np.hstack(list(row)) for row in pictures]
        cv2.imwrite(str(self._folder / f"{name}.png"), np.vstack(rows))

    def _distance(self, pictures: Luma8, truth: Luma8) -> float:
        """Return the mean distance of dlib's features, relative to their magnitude."""
        assert self._features is not None
        with torch.inference_mode():
            distances = [
                float(self._features(unit_tensor(pictures[start : start + _BATCH]), unit_tensor(truth[start : start + _BATCH])))
                for start in range(0, len(truth), _BATCH)
            ]
        return float(np.mean(distances))
