"""A second look at many windows at once."""

from __future__ import annotations

import numpy as np
import torch

from engine.contracts.frames import Float32, Uint8
from engine.detect.face_places import POINTS
from trt_build.networks.second_look import SecondLook

_AT_ONCE = 512


def looked(network: SecondLook, windows: Uint8) -> tuple[Float32, Float32]:
    """Return faceness (N,) and places (N, 7, 2) of windows (N, contexts, 40, 40)."""
    device = next(network.parameters()).device
    facenesses, places = [np.zeros(0, np.float32)], [np.zeros((0, POINTS, 2), np.float32)]
    with torch.inference_mode():
        for at in range(0, len(windows), _AT_ONCE):
            logits, where = network(torch.from_numpy(windows[at : at + _AT_ONCE]).to(device).float())
            facenesses.append(torch.sigmoid(logits).cpu().numpy())
            places.append(where.cpu().numpy())
    return np.concatenate(facenesses), np.concatenate(places)
