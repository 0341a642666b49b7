"""Retention during a run over cameras: pictures, lines and vectors that are too old or too many are removed.

The chain records each removal before it happens, so that it is later known to have been intended.
"""

from __future__ import annotations

import math
from pathlib import Path

from engine.archive.chain_writer import ChainWriter, keep_of
from engine.archive.expiry import Expiry
from engine.archive.files import FACES
from engine.archive.retention import Retention
from engine.config import OutputConfig

_DAY_SECONDS, _GB = 86_400.0, 10**9


class RunRetention:
    """Asked after each message.

    Args:
        config: how long what is kept.
        directory: of the run.
        chain: of the run.
    """

    def __init__(self, config: OutputConfig, directory: Path, chain: ChainWriter) -> None:
        self._directory, self._chain, keep = directory, chain, keep_of(config)
        self._retention: Retention | None = None
        self._expiry: Expiry | None = None
        if keep is not None:
            days = min(filter(None, (keep.pictures_days, keep.records_days)), default=0.0)
            most = round(keep.pictures_gb * _GB)
            self._retention = Retention(directory / FACES, days * _DAY_SECONDS, most, self._tell_folders)
        if keep is not None and (keep.records_days or keep.records_gb):
            most = round(keep.records_gb * _GB)
            self._expiry = Expiry(directory, keep.records_days * _DAY_SECONDS, most, self._tell_files)

    def wrote(self, folder: Path, size_bytes: int) -> None:
        """A picture of a track was written."""
        if self._retention is not None:
            self._retention.wrote(folder, size_bytes)

    def look(self, ended: Path | None) -> list[Path]:
        """Let go what is to go; return the folders that went.

        Args:
            ended: folder of a track that is over; None: none is.

        Raises:
            OSError: it cannot be done.
        """
        if self._expiry is not None:
            self._expiry.look()
        if self._retention is None:
            return []
        if ended is not None:
            self._retention.ended(ended)
        return self._retention.look(-math.inf if self._expiry is None else self._expiry.gone_before)

    @property
    def counters(self) -> dict[str, int]:
        """``removed.tracks``, ``removed.pictures`` and ``removed.bytes``: what was deleted, see ``Retention``; and
        ``removed.record_bytes``, see ``Expiry``."""
        pictures = {} if self._retention is None else self._retention.counters
        return pictures if self._expiry is None else pictures | {"removed.record_bytes": self._expiry.freed_bytes}

    def _tell_folders(self, folders: list[Path]) -> None:
        self._chain.add("sealed", removed=[folder.relative_to(self._directory).as_posix() for folder in folders])

    def _tell_files(self, emptied: dict[str, int]) -> None:
        self._chain.add("sealed", emptied=emptied)
