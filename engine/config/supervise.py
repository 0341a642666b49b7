"""The section of the configuration about worker processes that die or hang."""

from __future__ import annotations

from engine.config.section import Section
from engine.contracts.camera import NonNegative, Seconds


class SuperviseConfig(Section, frozen=True):
    """What happens to worker processes that die or hang."""

    restarts_per_minute: NonNegative = 5
    """Of each worker; above it a camera waits for the next minute, and any other worker ends the run."""
    hung_seconds: Seconds = 20.0
    """A worker without a sign of life for so long is killed; longer on a machine so busy that it waits for a core."""
    stuck_seconds: Seconds = 30.0
    """A device that has not computed a batch after so long is taken for lost, and its process is replaced; longer where it has
    to prepare itself for each new size."""
