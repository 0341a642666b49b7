"""What is to be written of a run: where, beginning with what is known before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.archive.resume import Resume, Said, reopen
from engine.archive.writer import DirectorySink
from engine.config import OutputConfig
from engine.contracts.counts import Counts


@dataclass(frozen=True)
class Record:
    """The output directory, if there is to be one."""

    output: OutputConfig
    run: dict[str, Any]
    """What ``run.json`` says of the run."""
    resume: Resume | None = None
    """What an earlier attempt of it left."""
    expires: bool = False
    """Whether what is too old or too much goes."""
    survives: bool = False
    """Whether the run goes on when the directory cannot be written: where others get its results too, or cameras would be lost
    meanwhile."""
    read_again: tuple[str, ...] = ()
    """Names of the recordings that are read again where a worker has died: none in a run without a camera."""

    @property
    def counted(self) -> Counts:
        """What of the earlier attempt stays."""
        return self.resume.counts if self.resume else Counts()

    @property
    def next_seq(self) -> Mapping[str, int] | None:
        """Where the numbers of messages go on; None: from the start."""
        return self.resume.next_seq if self.resume else None

    @property
    def newest(self) -> Sequence[Said]:
        """What a publisher that died had written last."""
        return self.resume.newest if self.resume else ()

    def reopened(self) -> Record:
        """Return what the successor of a publisher that died goes on with.

        Raises:
            PublishError: see ``reopen``.
        """
        return replace(self, resume=reopen(Path(self.output.directory))) if self.output.directory else self

    def open(self, facts: dict[str, Any]) -> DirectorySink | None:
        """Begin it, and return it; call this when all workers are ready, as a run that could not start leaves no directory that
        the next try would find taken.

        Args:
            facts: what the workers have loaded.

        Raises:
            PublishError, ConfigError: see ``DirectorySink``.
        """
        if not self.output.directory:
            return None
        run, overwrite = self.run | {"workers": facts}, self.output.overwrite
        return DirectorySink(self.output, run, overwrite=overwrite, resume=self.resume, expires=self.expires)
