"""What follows for the processes of a run from what it reads: a few questions, each with an answer of its own.

May a face be dropped when it is late? That is said by each face (``Sighting.live``): one of a camera may, one of a recording
never, whatever else the run reads. The others concern processes that all streams share:
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.runtime.cores import usable_cores


@dataclass(frozen=True)
class Policy:
    """Answers that hold for a whole run."""

    replaces_workers: bool
    """Whether a process that all streams share gets a successor when it dies. With a camera it must, as a camera does not wait;
    a recording's faces go to the successor, or are found again, and one that loses a face all the same has failed. Over
    recordings alone the run ends instead, and goes on from its directory."""
    is_prompt: bool
    """Whether a face should be done soon rather than many at once: short queues to subscribers, two threads for one face."""
    read_ahead: int
    """Items beyond those that an enhance worker has in its threads, which wait there so that the threads never do; what waits
    there cannot give way to fresher ones."""

    expires: bool
    """Whether what was written may go when it is too old or too much: a run with a camera has no end, and a run over recordings
    is resumed from it."""
    goes_on: bool = False
    """Whether the run goes on when it has no source at the moment, until it is told to stop: that of a service."""

    def threads(self, workers: int) -> int:
        """Return how many threads enlarge in each of the enhance workers: for recordings more than its share, as verifying
        leaves cores idle; else just that."""
        cores = usable_cores()
        return max(1, cores // workers) if self.is_prompt else cores


def policy_of(*, has_camera: bool, goes_on: bool = False) -> Policy:
    """Return the policy of a run; one that ``goes_on`` reads cameras, though it may have none at the moment."""
    live = has_camera or goes_on
    return Policy(replaces_workers=live, is_prompt=live, read_ahead=0 if live else 4, expires=live, goes_on=goes_on)
