"""What is known about a worker that ended without a final beat."""

from __future__ import annotations

from collections.abc import Container

from engine.pipeline.crew import Crew
from engine.pipeline.fate import Death
from engine.pipeline.readings import Readings
from engine.pipeline.status import RunStatus


class Deaths:
    """Puts together what the others know.

    Args:
        crew: of the run.
        readings: who reads which recording.
        status: of the run.
        ready: names of the workers that have been ready.
    """

    def __init__(self, crew: Crew, readings: Readings, status: RunStatus, ready: Container[str]) -> None:
        self._crew, self._readings, self._status, self._ready = crew, readings, status, ready

    def of(self, name: str, *, says_hopeless: bool, lost_neighbour: bool) -> Death:
        """Return what ``fate_of`` is to know.

        Args:
            name: of the worker.
            says_hopeless: see ``Death``.
            lost_neighbour: it ended since another worker had.
        """
        if self._crew.is_leaving(name):
            return Death("camera", is_leaving=True)
        return Death(
            self._crew.plan.members[name].role,
            is_over=self._is_over(name),
            has_recording=self._reads(name),
            lost_neighbour=lost_neighbour and self._readings.may_read_again(name),
            was_ready=name in self._ready,
            says_hopeless=says_hopeless,
        )

    def _reads(self, name: str) -> bool:
        """Whether a worker has a recording in hand."""
        order = self._readings.in_hand(name)
        return order is not None and not self._status.streams[order.stream].is_over

    def _is_over(self, name: str) -> bool:
        camera = self._crew.cameras.get(name)
        if camera is not None:
            return self._status.streams[camera.name].is_over
        return self._readings.was_dismissed(name) or self._crew.is_cut_off(name)
