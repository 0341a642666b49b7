"""In the place of the pipeline under ``facestream run``."""

from __future__ import annotations

from engine.config import Config
from engine.pipeline.run import RunResult
from tests.cli.statuses import status_of


class Runs:
    """Stands in for the pipeline: shows one status and returns it, or raises."""

    def __init__(self) -> None:
        self.config = Config()
        self.duration_seconds: float | None = None
        self.status = status_of("door")
        self.error: BaseException | None = None
        self.note = self.problem = ""
        self.cameras: frozenset[str] = frozenset()

    def __call__(self, config, observer, duration_seconds=None, warn=lambda sentence: None) -> RunResult:
        self.config, self.duration_seconds = config, duration_seconds
        if self.note:
            warn(self.note)
        observer(self.status)
        if self.error is not None:
            raise self.error
        status = self.status
        streams = list(status.streams.values())
        return RunResult("run-1", "drained", 9.0, status.counters, streams, status, None, self.cameras, self.problem)
