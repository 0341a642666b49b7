"""The log of a service."""

from __future__ import annotations

import threading

import pytest

from engine.cli.run.log import RunLog
from engine.cli.service import serve
from engine.cli.service.serve import ServiceLines
from engine.pipeline.status import RunStatus
from tests.patience import PATIENCE_SECONDS


class Stuck(RunLog):
    """A log that nobody reads."""

    def __init__(self) -> None:
        super().__init__("text", quiet=False)
        self.read, self.written = threading.Event(), list[str]()

    def warn(self, sentence: str) -> None:
        self.read.wait(PATIENCE_SECONDS)
        self.written.append(sentence)

    def show(self, status: RunStatus) -> None:
        self.written.append(status.run_id)


def test_nobody_waits_for_whoever_does_not_read_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_LAST_SECONDS", 0.05)
    monkeypatch.setattr(serve, "_MOST_WAITING", 3)
    log = Stuck()
    lines = ServiceLines(log)
    lines.warn("one")
    for number in range(100):
        lines.show(RunStatus(run_id=str(number)))
        lines.warn("more")
    lines.close()
    assert lines.is_stuck
    log.read.set()
    lines._thread.join(PATIENCE_SECONDS)
    assert not lines.is_stuck
    assert log.written[0] == "one"
    assert [one for one in log.written if one.isdigit()] == ["99"], "of several the newest"
    assert len(log.written) <= 5
