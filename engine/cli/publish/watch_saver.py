"""What ``facestream watch --save`` writes: the received messages, laid out like the output directory of a run."""

from __future__ import annotations

from pathlib import Path

from engine.archive.claim import check_free
from engine.archive.writer import DirectorySink
from engine.client import End, Received
from engine.config import OutputConfig
from engine.errors import ConfigError
from engine.source.names import name_from_text, new_name

ANOTHER = "choose another directory with --save, or replace it with --overwrite"
_MOST_OPEN = 8
"""A run that is killed never says that it is over: the one that has been silent for longest is closed."""


class Saver:
    """Writes messages of one run after another or, through a proxy of ZeroMQ, of several at a time."""

    def __init__(self, directory: Path, endpoint: str, several_runs: bool, overwrite: bool = False) -> None:
        self._directory = directory
        self._endpoint = endpoint
        self._several_runs, self._overwrite = several_runs, overwrite
        self._open: dict[str, DirectorySink] = {}
        self._taken: set[str] = set()
        """Names of folders: those of two runs may differ in what no folder's name has."""

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, *_: object) -> None:
        for run_id in list(self._open):
            self._open.pop(run_id).close("drained")

    def write(self, received: Received) -> None:
        """Write a message.

        Raises:
            ConfigError: it is of a run that has no place; the folder holds one already.
            PublishError: it cannot be written.
        """
        message = received.message
        sink = self._open.pop(message.run_id, None) or self._new(message.run_id)
        self._open[message.run_id] = sink
        sink.write(message, received.payloads)
        if isinstance(message, End):
            self._open.pop(message.run_id).close(message.outcome)

    def _new(self, run_id: str) -> DirectorySink:
        if self._open and not self._several_runs:
            raise ConfigError(f"{self._endpoint} sends another run, too ({run_id}): --follow saves each in a folder of its own")
        if len(self._open) >= _MOST_OPEN:
            self._open.pop(next(iter(self._open))).close("drained")
        folder = self._folder(run_id)
        if not self._overwrite:
            check_free(folder, ANOTHER)
        about = {"run_id": run_id, "received_from": self._endpoint}
        return DirectorySink(OutputConfig(directory=str(folder)), about, overwrite=self._overwrite)

    def _folder(self, run_id: str) -> Path:
        if not self._several_runs:
            return self._directory
        return self._directory / new_name(name_from_text(run_id) or "run", self._taken)
