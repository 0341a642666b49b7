"""The sizes and batches of an engine, by the command line and the model's own limits."""

from __future__ import annotations

import math
import re

from engine.contracts.engine_manifest import Profile
from engine.contracts.manifest import Manifest
from engine.errors import UsageError

_DEFAULTS = {"generator": ((8, 160), (1, 8, 64)), "detector": ((64, 1280), (1, 4, 16))}
_BATCH = (1, 8, 64)
LARGEST_PX = 4096
Shape = tuple[int, int, int, int]
Shapes = tuple[Shape, Shape, Shape]
"""Smallest, best and largest."""


def profile_for(manifest: Manifest, sizes: str | None = None, batch: str | None = None) -> Profile:
    """Return the profile of a model.

    Args:
        manifest: of the model, which may fix the input size.
        sizes: smallest and largest height and width, such as ``16..96``.
        batch: smallest, best and largest, such as ``1,8,64``, or one number.

    Raises:
        UsageError: they are malformed, or the model does not support them.
    """
    default_sizes, default_batch = _DEFAULTS.get(manifest.kind, ((1, 1), _BATCH))
    fixed = manifest.input_size_px
    if fixed is not None:
        own = (min(fixed), max(fixed))
        if sizes is not None and _sizes(sizes) != own:
            raise UsageError(
                f"--sizes {sizes}: {manifest.name} has one input size, {fixed[1]}x{fixed[0]} px: leave --sizes out"
            )
        return Profile(own, _batch(batch) if batch else _BATCH)
    low, high = _sizes(sizes) if sizes else default_sizes
    rule = manifest.size_rule
    if (rule.padded(low), rule.padded(high)) != (low, high):
        raise UsageError(
            f"--sizes {low}..{high}: {manifest.name} takes multiples of {rule.multiple_of} px from {rule.minimum} px on: "
            f"give {rule.padded(low)}..{rule.padded(high)}"
        )
    return Profile((low, high), _batch(batch) if batch else default_batch)


def shapes(manifest: Manifest, profile: Profile) -> Shapes:
    """Return the smallest, best and largest input, NCHW; the best size is the geometric mean of the others."""
    if manifest.input_size_px is not None:
        height, width = manifest.input_size_px
        small, best, large = ((count, manifest.channels, height, width) for count in profile.batch)
        return small, best, large
    low, high = profile.sizes_px
    middle = min(high, manifest.size_rule.padded(round(math.sqrt(low * high))))
    small, best, large = (
        (count, manifest.channels, side, side) for count, side in zip(profile.batch, (low, middle, high), strict=True)
    )
    return small, best, large


def _sizes(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", text.strip())
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= low <= high <= LARGEST_PX:
        raise UsageError(
            f"--sizes {text}: give the smallest and the largest side in pixels, such as 16..96, at most {LARGEST_PX}"
        )
    return low, high


def _batch(text: str) -> tuple[int, int, int]:
    numbers = [int(part) for part in text.split(",") if part.strip().isdigit()]
    if len(numbers) == 1:
        numbers *= 3
    if len(numbers) != 3 or text.count(",") not in (0, 2) or not 1 <= numbers[0] <= numbers[1] <= numbers[2] <= 1024:
        raise UsageError(f"--batch {text}: give the smallest, the best and the largest batch, such as 1,8,64, or one number")
    return numbers[0], numbers[1], numbers[2]
