"""``facestream serve``: the pipeline as a service, until it is stopped."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Annotated

from cyclopts import Parameter

from engine.cli.complaints import complaint
from engine.cli.run.log import LogFormat, RunLog
from engine.control.verbs import LogLevel
from engine.errors import FacestreamError
from engine.pipeline.run import RunResult
from engine.pipeline.status import RunStatus
from engine.runtime.closing import Closing
from engine.service.serve import serve as serve_service

_MOST_WAITING = 1000
_LAST_SECONDS = 1.0


def serve(
    config: Annotated[Path | None, Parameter(help="YAML file with the section `serve`; without it all defaults apply.")] = None,
    /,
    *,
    log_format: Annotated[LogFormat, Parameter(help="json: one object a line.")] = "text",
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=(), help="Warnings and errors only.")] = False,
) -> int:
    """Run as a service: cameras come and go until it is stopped.

    `facestream ctl` queries and controls it. What was added or changed is kept on the disk and survives a restart or a power
    cut. SIGTERM, Ctrl-C or `facestream ctl drain` ends it cleanly.

    For example:

        facestream serve

        facestream check --example serve > serve.yaml
        facestream serve serve.yaml

        facestream serve /etc/facestream.yaml --log-format json

        facestream ctl status

    Exit code 1: it cannot work. 130: forced to stop.
    """
    with RunLog(log_format, quiet=quiet) as log:
        try:
            with ServiceLines(log) as lines:
                code = serve_service(config, lines)
            if lines.is_stuck:
                os._exit(code)  # to close the log in good order would wait for whoever does not read it
            return code
        except FacestreamError as error:
            if log_format != "json":
                raise
            sentence, code = complaint(error)
            log.fail(sentence, code)
            return code


class ServiceLines(Closing):
    """The log of ``facestream run`` for one run after another. Whoever says something never waits for whoever reads it."""

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._newest: RunStatus | None = None
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def show(self, status: RunStatus) -> None:
        """See ``ServiceLog``; of several that could not be written yet the newest is."""
        before, self._newest = self._newest, status
        if before is None:
            self._put(self._show_newest)

    def run_ended(self, result: RunResult) -> None:
        """See ``ServiceLog``."""
        self._put(lambda: self._log.end(result, 0))
        self._put(self._log.forget_run)

    def warn(self, sentence: str) -> None:
        """See ``ServiceLog``."""
        self._put(lambda: self._log.warn(sentence))

    def say(self, sentence: str) -> None:
        """See ``ServiceLog``."""
        self._put(lambda: self._log.say(sentence))

    def set_level(self, level: LogLevel) -> None:
        """See ``ServiceLog``."""
        self._log.set_level(level)

    @property
    def is_stuck(self) -> bool:
        """Whether something waits to be written that nobody reads."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Write what waits, unless nobody reads it."""
        self._waiting.put(None)
        self._thread.join(_LAST_SECONDS)

    def _put(self, write: Callable[[], None]) -> None:
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put(write)

    def _show_newest(self) -> None:
        status, self._newest = self._newest, None
        if status is not None:
            self._log.show(status)

    def _write(self) -> None:
        while (write := self._waiting.get()) is not None:
            with suppress(OSError, ValueError):  # nobody reads it any more
                write()
