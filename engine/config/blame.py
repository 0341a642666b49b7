"""Leads from what is found out about a source, which is after the file was read, to its line in the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.config.errors import sentence
from engine.config.file import text_of
from engine.errors import ConfigError


@contextmanager
def blaming(*keys: str | int) -> Iterator[None]:
    """Note in a ``ConfigError`` from inside that it is about what ``keys`` lead to, unless it knows better."""
    try:
        yield
    except ConfigError as error:
        error.keys = error.keys or keys
        raise


@contextmanager
def lines_of(path: Path | None) -> Iterator[None]:
    """Put file, line and key before the words of a ``ConfigError`` from inside that has ``keys``.

    Args:
        path: the file from which what is looked at was read; None: it came from elsewhere.
    """
    try:
        yield
    except ConfigError as error:
        if path is None or not error.keys:
            raise
        try:
            text = text_of(path.read_bytes(), path)
        except OSError:  # it is gone by now
            raise error from None
        raise ConfigError(sentence(error.keys, str(error), path, text)) from error
