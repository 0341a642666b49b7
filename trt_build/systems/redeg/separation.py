"""Tests whether omega depends only on the damage: faces and cameras crossed, every face through every camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from trt_build.data.degradation import Luma8
from trt_build.data.tensors import unit_tensor
from trt_build.systems.redeg.batches import through_camera
from trt_build.systems.redeg.model import Redeg

Values = NDArray[np.float64]
FIRST_CAMERA = 10**9
"""First number of the validation cameras; training practically never draws these."""
SIGNATURE = ("strength", "sharpness", "grain")


@dataclass(frozen=True)
class Crossed:
    """C cameras, F faces."""

    sharp: Luma8
    """(F, 64, 64)."""
    small: Luma8
    """(C, F, s, s)."""


def crossed(faces: Luma8, small_px: int, cameras: int, second_order: float) -> Crossed:
    """Send every face through the same new cameras."""
    table = [
        [through_camera(face, small_px, FIRST_CAMERA + camera, number, second_order) for number, face in enumerate(faces)]
        for camera in range(cameras)
    ]
    return Crossed(faces, np.array(table, np.uint8))


def separation(model: Redeg, sets: Crossed) -> dict[str, float]:
    """Return how far omega depends on cameras and not on faces, and the effect of using it on other faces.

    - ``omega_camera``, ``omega_face``: shares of omega's variance that the camera and the face explain alone.
    - ``omega_found``: how often the nearest omega among those of the next face is that of the same camera;
      ``omega_chance``: that by guessing.
    - ``strength_r``, ``sharpness_r``, ``grain_r``: correlation, over cameras and faces, of the damage that SynNet does with
      the omega of the next face with the true camera's damage to the same face.
    - ``swapped_psnr``, ``foreign_psnr``: of SynNet's picture against the camera's, dB, with the omega of the next face and,
      for comparison, with that of the next camera.
    """
    omegas = _all_omegas(model, sets)
    next_face = np.roll(omegas, -1, axis=1)
    made, foreign = (_apply_to_all(model, sets, some) for some in (next_face, np.roll(next_face, -1, axis=0)))
    found = _found(omegas)
    shares = _explained(omegas)
    wanted, got = (signature(small, sets.sharp) for small in (sets.small, made))
    alike = {
        f"{name}_r": float(np.corrcoef(w.ravel(), g.ravel())[0, 1]) for name, w, g in zip(SIGNATURE, wanted, got, strict=True)
    }
    psnrs = {"swapped_psnr": _psnr(made, sets.small), "foreign_psnr": _psnr(foreign, sets.small)}
    chance = 1 / len(omegas)
    return {"omega_camera": shares[0], "omega_face": shares[1], "omega_found": found, "omega_chance": chance} | alike | psnrs


def _all_omegas(model: Redeg, sets: Crossed) -> Values:
    """Return omega of every face through every camera, (C, F, dim)."""
    device, rows = _device(model), []
    with torch.inference_mode():
        sharp = unit_tensor(sets.sharp).to(device)
        for small in sets.small:
            rows.append(model.omega(sharp, unit_tensor(small).to(device)).double().cpu().numpy())
    return np.stack(rows)


def _apply_to_all(model: Redeg, sets: Crossed, omegas: Values) -> Luma8:
    """Return SynNet's picture of each face with the omegas (C, F, dim): (C, F, s, s)."""
    device, side, rows = _device(model), sets.small.shape[-1], []
    with torch.inference_mode():
        sharp = unit_tensor(sets.sharp).to(device)
        for some in omegas:
            made = model.apply_to(sharp, torch.from_numpy(some).float().to(device), side)
            rows.append((255 * made[:, 0]).round().byte().cpu().numpy())
    return np.stack(rows)


def _device(model: Redeg) -> torch.device:
    return next(model.parameters()).device


def signature(small: Luma8, sharp: Luma8) -> list[Values]:
    """Describe the damage by figures of the difference from the shrunk sharp face, (C, F) each.

    Strength: log of its deviation; sharpness: log of the ratio of both pictures' mean Laplacian; grain: correlation of
    neighbouring pixels of the difference, 0 for noise, high for blur.
    """
    side = small.shape[-1]
    plain = np.stack([cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA) for face in sharp]).astype(np.float64)
    damage = small - plain
    centred = damage - damage.mean((2, 3), keepdims=True)
    power = centred.var((2, 3)) + 0.1
    neighbours = (centred[..., 1:] * centred[..., :-1]).mean((2, 3)) + (centred[..., 1:, :] * centred[..., :-1, :]).mean((2, 3))
    edges = np.log(_laplacian(small.astype(np.float64)) / _laplacian(plain))
    return [np.log(power) / 2, edges, neighbours / (2 * power)]


def _laplacian(pictures: Values) -> Values:
    inner = 4 * pictures[..., 1:-1, 1:-1] - pictures[..., 2:, 1:-1] - pictures[..., :-2, 1:-1]
    inner = inner - pictures[..., 1:-1, 2:] - pictures[..., 1:-1, :-2]
    return np.asarray(np.abs(inner).mean((-2, -1)) + 0.1, np.float64)


def _explained(omegas: Values) -> tuple[float, float]:
    """Return the shares of the variance of (C, F, dim) explained by the means over faces and by the means over cameras."""
    middle = omegas.mean((0, 1))
    total = ((omegas - middle) ** 2).sum(2).mean()
    of_camera = ((omegas.mean(1) - middle) ** 2).sum(1).mean()
    of_face = ((omegas.mean(0) - middle) ** 2).sum(1).mean()
    return float(of_camera / total), float(of_face / total)


def _found(omegas: Values) -> float:
    hits = []
    for face in range(omegas.shape[1]):
        asked, stored = omegas[:, face], omegas[:, (face + 1) % omegas.shape[1]]
        apart = ((asked[:, None] - stored[None]) ** 2).sum(2)
        hits.append(apart.argmin(1) == np.arange(len(asked)))
    return float(np.mean(hits))


def _psnr(one: Luma8, other: Luma8) -> float:
    """Mean over pictures, dB."""
    error = ((one.astype(np.float64) - other) ** 2).mean((2, 3)) + 1e-3
    return float((10 * np.log10(255**2 / error)).mean())


def grid(model: Redeg, sets: Crossed, cameras: int, shown: int) -> Luma8:
    """Return a picture: for each camera its own small faces above SynNet's, with the omega of the first face only.

    The first column is that face, whose omega is used; the top row the sharp faces.
    """
    omegas = _all_omegas(model, sets)
    used = np.repeat(omegas[:, :1], omegas.shape[1], axis=1)
    made = _apply_to_all(model, sets, used)
    rows = [np.hstack(list(sets.sharp[:shown]))]
    for camera in range(cameras):
        rows += [_row(sets.small[camera, :shown], sets.sharp), _row(made[camera, :shown], sets.sharp)]
    return np.vstack(rows)


def _row(small: Luma8, sharp: Luma8) -> Luma8:
    times = sharp.shape[-1] // small.shape[-1]
    return np.hstack([face.repeat(times, 0).repeat(times, 1) for face in small])
