"""Where a second look is wrong about what it learns from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from trt_build.networks.second_look import SecondLook
from trt_build.systems.second_look.candidates import Candidates
from trt_build.systems.second_look.looking import looked
from trt_build.systems.second_look.samples import plain_windows
from trt_build.work import Done

_WRONG = 0.4
"""Faceness below which a face is missed, and from which a false alarm is taken for a face."""
_AT_ONCE = 8192


def mistakes_in(candidates: Candidates, network: SecondLook, done: Done) -> NDArray[np.bool_]:
    """Return which candidates (N,) the network takes for what they are not, at the scale at which they were found.

    It runs in one thread, since processes may be forked later.

    Args:
        candidates: with at least their labels right.
        network: ready to run.
        done: for progress.
    """
    torch.set_num_threads(1)
    wrong = np.zeros(len(candidates), np.bool_)
    for first in range(0, len(candidates), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        part = _part(candidates, some)
        wrong[some] = (looked(network, plain_windows(part)[0])[0] >= _WRONG) != part.is_face
        done("mistakes", min(first + _AT_ONCE, len(candidates)), len(candidates))
    return wrong


def _part(candidates: Candidates, some: slice) -> Candidates:
    return replace(
        candidates,
        picture=candidates.picture[some],
        boxes=candidates.boxes[some],
        scores=candidates.scores[some],
        scales=candidates.scales[some],
        is_face=candidates.is_face[some],
    )
