"""Sub-pixel registration of a frame to a template by inverse-compositional Lucas-Kanade (Baker and Matthews, 2004).

The model is a similarity transform with gain and bias, so that changes of exposure and the encoder's drift do not pull it. Gain
and bias are projected out of the template's gradients; one small matrix then serves all frames and all steps.
"""

from __future__ import annotations

import numpy as np

from engine.contracts.frames import Float32
from engine.super_resolve.warps import Warp, compose, inverse, look_through

_STEPS = 8
"""Most steps of a refinement; the fine ones mostly need two."""
_STILL = 0.01
"""Iteration ends when a step moves no point farther than this, in pixels."""
_FARTHEST = 3.0
"""Longest step in pixels: the gradients say nothing about what lies farther away."""
_NOTHING = 1e-12


class Template:
    """A picture to which frames are registered."""

    def __init__(self, picture: Float32, window: Float32) -> None:
        """Prepare the gradients.

        Args:
            picture: (h, w), of any range.
            window: (h, w) weights, not negative and not all 0.
        """
        height, width = picture.shape
        self.shape = (height, width)
        self._weights = window.ravel() / window.sum()
        self._centred = self._centred_on(picture.ravel())
        self._weighted = self._weights * self._centred
        self._energy = max(float(self._weighted @ self._centred), _NOTHING)
        self._middle = np.array([width - 1, height - 1]) / 2
        self._radius = max(height, width) / 4
        self._slopes = self._gradients(picture)
        weighted = self._slopes * self._weights
        normal = weighted @ self._slopes.T
        normal += np.eye(4) * (1e-6 * np.trace(normal) + _NOTHING)
        self._solve = np.linalg.solve(normal, weighted).astype(np.float32)

    def likeness(self, seen: Float32) -> float:
        """Return the weighted correlation of a picture with the template, -1 to 1."""
        centred = self._centred_on(seen.ravel())
        energy = float(self._weights @ centred**2)
        return float(self._weighted @ centred / np.sqrt(max(energy * self._energy, _NOTHING)))

    def refine(self, frame: Float32, warp: Warp) -> Warp:
        """Return the warp near ``warp`` that makes ``frame`` most like the template; never one that makes it less so."""
        best, highest = warp, -1.0
        for _ in range(_STEPS):
            seen = self._centred_on(look_through(frame, warp, self.shape).ravel())
            shared, energy = float(self._weighted @ seen), float(self._weights @ (seen * seen))
            likeness = shared / np.sqrt(max(energy * self._energy, _NOTHING))
            if likeness <= highest or shared <= 0:
                break
            best, highest = warp, likeness
            step = self._solve @ (seen * (self._energy / shared) - self._centred)
            size = float(np.abs(step).max())
            if size < _STILL:
                break
            warp = compose(warp, inverse(self._warp(step * min(1.0, _FARTHEST / size))))
        return best

    def _warp(self, step: np.ndarray) -> Warp:
        grow, turn = step[:2] / self._radius
        linear = np.array([[1 + grow, -turn], [turn, 1 + grow]])
        return np.column_stack([linear, self._middle + step[2:] - linear @ self._middle])

    def _gradients(self, picture: Float32) -> np.ndarray:
        """Return the template's derivatives by one pixel of scaling, rotation, shift right and shift down, with gain and bias
        projected out: (4, P).
        """
        down, right = np.gradient(picture)
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]]
        x, y = (columns - self._middle[0]) / self._radius, (rows - self._middle[1]) / self._radius
        slopes = np.stack([right * x + down * y, down * x - right * y, right, down]).reshape(4, -1)
        slopes -= (slopes @ self._weights)[:, None]
        share = slopes @ self._weighted / self._energy
        return np.asarray(slopes - share[:, None] * self._centred)

    def _centred_on(self, values: Float32) -> Float32:
        return np.asarray(values - self._weights @ values, np.float32)
