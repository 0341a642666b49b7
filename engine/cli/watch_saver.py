"""What ``facestream watch --save`` writes: what came, laid out like the output directory of a run."""

from __future__ import annotations

from pathlib import Path

from engine.archive.claim import check_free
from engine.archive.writer import DirectorySink
from engine.client import End, Received
from engine.config import OutputConfig
from engine.source.names import name_from_text, new_name

ANOTHER = "choose another directory with --save, or replace it with --overwrite"


class Saver:
    """Writes messages of one run after another."""

    def __init__(self, directory: Path, endpoint: str, several_runs: bool, overwrite: bool = False) -> None:
        self._directory = directory
        self._endpoint = endpoint
        self._several_runs, self._overwrite = several_runs, overwrite
        self._sink: DirectorySink | None = None
        self._run_id = ""
        self._taken: set[str] = set()
        """Names of folders: those of two runs may differ in what no folder's name has."""
        self._outcome = "drained"

    def __enter__(self) -> Saver:
        return self

    def __exit__(self, *_: object) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._sink is not None:
            self._sink.close(self._outcome)
            self._sink = None

    def write(self, received: Received) -> None:
        message = received.message
        if self._sink is None or message.run_id != self._run_id:
            self._finish()
            self._run_id, self._outcome = message.run_id, "drained"
            folder = self._folder()
            if not self._overwrite:
                check_free(folder, ANOTHER)
            about = {"run_id": message.run_id, "received_from": self._endpoint}
            self._sink = DirectorySink(OutputConfig(directory=str(folder)), about, overwrite=self._overwrite)
        if isinstance(message, End):
            self._outcome = message.outcome
        self._sink.write(message, received.payloads)

    def _folder(self) -> Path:
        if not self._several_runs:
            return self._directory
        return self._directory / new_name(name_from_text(self._run_id) or "run", self._taken)
