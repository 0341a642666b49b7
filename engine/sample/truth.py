"""What is known about a sample clip: who is where in every frame."""

from __future__ import annotations

from pathlib import Path

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError

SCHEMA = "facestream-sample/1"


class TruthBox(msgspec.Struct, frozen=True):
    """One face of one frame."""

    identity: str
    box: tuple[float, float, float, float]
    """x, y, width, height in pixels, hairline to chin; may reach over the picture's border."""
    visible: float
    """Share of the box that is inside the picture and not hidden by somebody nearer."""


class Truth(msgspec.Struct, frozen=True):
    """What is known about a sample clip."""

    video: str
    seed: int
    fps: int
    width_px: int
    height_px: int
    identities: dict[str, str]
    """Name to enrolment picture, relative to the truth file; not of whoever is seen from the side."""
    frames: list[list[TruthBox]]
    """The faces of each frame, at least partly inside the picture, nearest first."""
    schema: str = SCHEMA


def read_truth(path: Path) -> Truth:
    """Read ``NAME.truth.json``.

    Raises:
        ConfigError: the file is missing or is no such file.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Truth)
    except OSError as error:
        raise ConfigError(f"cannot read the ground truth {path}: {error.strerror}") from error
    except UNREADABLE as error:
        raise ConfigError(f"{path} is not the ground truth of a sample clip: {error}") from error
