"""A bank of faces with learned damage, made once before training: each is damaged like some real face."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch import Tensor

from trt_build.array_files import write_array
from trt_build.data.degradation import Luma8
from trt_build.data.tensors import unit_tensor
from trt_build.errors import RecipeError
from trt_build.recipes.degradations import LearnedSpec
from trt_build.recipes.generator import Recipe
from trt_build.systems.redeg.model import SHARP_PX, Redeg
from trt_build.systems.redeg.training import SCALE, SMALL_PX, load_redeg, real_faces
from trt_build.work import Done

_BATCH = 64


def learned_bank(faces: Luma8, recipe: Recipe, folder: Path, done: Done) -> Luma8:
    """Return the bank of ``faces`` (N, 64, 64): uint8 (passes, N, 16, 16), from ``folder`` if it was made before.

    Raises:
        RecipeError: the recipe has another size or scale than the networks.
        TrainingError: there is no checkpoint of the networks.
        DataError: the footage that they were trained on is missing.
    """
    if (recipe.data.hr_px, recipe.data.scale) != (SHARP_PX, SCALE):
        raise RecipeError(f"mixture.learned needs hr_px {SHARP_PX} and scale {SCALE}, at which its networks were trained.")
    spec = recipe.learned
    checkpoint = Path(spec.checkpoint)
    model, networks = load_redeg(checkpoint)
    content = checkpoint.read_bytes() + msgspec.json.encode((spec, recipe.seed)) + np.ascontiguousarray(faces).tobytes()
    path = folder / f"learned-{hashlib.sha256(content).hexdigest()[:12]}.npy"
    if not path.exists():
        restored, small = real_faces(networks, checkpoint.parent / "cache", done)
        write_array(path, make_bank(model, faces, (restored, small), spec, recipe.seed, done))
    stored: Luma8 = np.load(path, mmap_mode="r")
    return stored


def make_bank(
    model: Redeg, faces: Luma8, real: tuple[Luma8, Luma8], spec: LearnedSpec, seed: int, done: Done | None = None
) -> Luma8:
    """Degrade every face ``spec.passes`` times, each time like another of the real faces (restored and small)."""
    omegas = torch.cat([model.omega(*pair) for pair in _batches(*real)])
    rng = np.random.default_rng((seed, 3_000_017))
    bank = np.empty((spec.passes, len(faces), SMALL_PX, SMALL_PX), np.uint8)
    for turn in range(spec.passes):
        chosen = omegas[torch.from_numpy(rng.integers(len(omegas), size=len(faces)))]
        pairs = zip(_batches(faces), torch.split(chosen, _BATCH), strict=True)
        drawn = [model.apply_to(sharp, omega, SMALL_PX) for (sharp,), omega in pairs]
        levels = 255 * torch.cat(drawn)[:, 0].numpy()
        noisy = rng.random(len(faces)) < spec.noise_share
        strength = np.where(noisy, rng.uniform(0, spec.noise_max, len(faces)), 0)
        levels += strength[:, None, None] * rng.standard_normal(levels.shape)
        bank[turn] = np.clip(np.rint(levels), 0, 255)
        if done is not None:
            done("learned degradations", turn + 1, spec.passes)
    return bank


def _batches(*pictures: Luma8) -> Iterator[tuple[Tensor, ...]]:
    """(N, h, w) each -> (n, 1, h, w) each in [0, 1], some at a time."""
    for start in range(0, len(pictures[0]), _BATCH):
        yield tuple(unit_tensor(some[start : start + _BATCH]) for some in pictures)
