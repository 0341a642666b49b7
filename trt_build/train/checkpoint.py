"""Checkpoint files: put in place at once, read without running code from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from trt_build.errors import RecipeError, TrainingError


def write_checkpoint(data: dict[str, Any], path: Path) -> None:
    """Write beside and move into place, so that a crash or a full disk leaves the old one.

    Raises:
        TrainingError: it cannot be written, as on a full disk.
    """
    partial = path.with_suffix(".partial")
    try:
        torch.save(data, partial)
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:  # torch reports a failed write as a RuntimeError
        partial.unlink(missing_ok=True)
        kept = " (the one before is kept)" if path.exists() else ""
        raise TrainingError(
            f"The checkpoint '{path}' cannot be written{kept}: {error}. Free some space, then --resume."
        ) from None


def read_checkpoint(path: Path, schema: str) -> dict[str, Any]:
    """Read a checkpoint.

    Raises:
        TrainingError: there is none, it cannot be read, or another trainer wrote it.
    """
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise TrainingError(f"There is no checkpoint '{path}'.") from None
    except Exception as error:
        raise TrainingError(f"'{path}' is not a readable checkpoint ({error}).") from None
    if not isinstance(data, dict) or data.get("schema") != schema:
        raise TrainingError(f"'{path}' is not a checkpoint of this trainer ({schema}).")
    return data


def last_checkpoint(folder: Path, schema: str, *, resume: bool) -> dict[str, Any] | None:
    """Return the checkpoint to go on from, None for a new run.

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false.
        TrainingError: there is nothing to resume, or it cannot be read.
    """
    last = folder / "last.pt"
    if last.exists() and not resume:
        raise RecipeError(f"'{last}' exists: give --resume to continue it, or another --out.")
    return read_checkpoint(last, schema) if resume else None
