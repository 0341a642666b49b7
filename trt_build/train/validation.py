"""Validation while training: gains over bicubic on the fixed sets, and a picture of samples."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from trt_build.evaluate.face_sets import FaceSet, Score, score_bicubic, score_set
from trt_build.evaluate.metrics import Luma8, bicubic

SHOWN = 8


def enlarge_with(model: nn.Module, faces: Luma8, batch: int = 50) -> Luma8:
    """Run `model` on uint8 (N, h, w): uint8 (N, s*h, s*w), clamped and rounded."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(faces), batch):
            low = torch.from_numpy(np.array(faces[start : start + batch]))[:, None].float() / 255
            high = model(low.contiguous(memory_format=torch.channels_last))
            parts.append((high.clamp(0, 1) * 255).round().byte()[:, 0].numpy())
    return np.concatenate(parts)


class Validator:
    """Scores a model on the fixed sets; the figure of merit is the mean gain in dB."""

    def __init__(self, sets: list[FaceSet], folder: Path) -> None:
        self._sets = sets
        self._folder = folder
        self._baseline: dict[str, Score] = {s.name: score_bicubic(s) for s in sets}

    def measure(self, model: nn.Module) -> dict[str, float]:
        """PSNR and SSIM gains by set, and `merit`: the mean of the PSNR gains."""
        row: dict[str, float] = {}
        for faces in self._sets:
            result = score_set(faces, lambda low: enlarge_with(model, low))
            base = self._baseline[faces.name]
            row[f"{faces.name}_psnr"] = result.psnr
            row[f"{faces.name}_psnr_gain"] = result.psnr - base.psnr
            row[f"{faces.name}_ssim"] = result.ssim
            row[f"{faces.name}_ssim_gain"] = result.ssim - base.ssim
        gains = [row[f"{faces.name}_psnr_gain"] for faces in self._sets]
        row["merit"] = float(np.mean(gains))
        return row

    def write_samples(self, model: nn.Module, name: str) -> None:
        """A grid PNG: for each set, rows of bicubic, network, truth."""
        rows = []
        for faces in self._sets:
            low, high = faces.low[:SHOWN], faces.high[:SHOWN]
            smooth = [bicubic(image, faces.scale) for image in low]
            rows += [np.hstack(list(r)) for r in (smooth, enlarge_with(model, low), high)]
        cv2.imwrite(str(self._folder / f"{name}.png"), np.vstack(rows))
