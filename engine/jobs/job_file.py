"""``job.json``: what a job consists of, and the command that continues it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError

LONGEST_COMMAND = 1000
"""In characters: nobody copies a longer one out of a sentence."""


class JobFile(msgspec.Struct, frozen=True):
    """What it holds."""

    versions: dict[str, str]
    config: dict[str, Any]
    models: dict[str, str]
    """SHA-256 of each, by role."""
    segment_seconds: float
    recordings: list[str]
    """Names of their streams."""
    command: str = ""
    """The command line that was given last; empty: it is too long to be told."""


def read_job(path: Path) -> JobFile | None:
    """Return what a file says; None: there is none.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return decoded_job(path.read_bytes(), path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from error


def decoded_job(content: bytes, where: object) -> JobFile:
    """Return what was read.

    Args:
        content: of the file.
        where: it is, for people.

    Raises:
        ConfigError: it is none of ours.
    """
    try:
        return msgspec.json.decode(content, type=JobFile)
    except UNREADABLE as error:
        raise _unreadable(where, error) from error


def going_on(job: JobFile | None) -> str:
    """Return, for a sentence, the command that goes on with a job."""
    return f"`{job.command}`" if job is not None and job.command else "the command that began it"


def _unreadable(where: object, error: Exception) -> ConfigError:
    return ConfigError(f"{where} cannot be read ({error}): start over with --overwrite")
