"""Errors of the offline tools, in the tree of `engine.errors`: one sentence a user can act on."""

from __future__ import annotations

from engine.errors import FacestreamError, UsageError


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, without a full stop, or the name of its type if there is no message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")


class RecipeError(UsageError):
    """The recipe or a command-line value is wrong (exit code 2)."""


class DataError(FacestreamError):
    """Training or evaluation data are missing or unreadable."""


class TrainingError(FacestreamError):
    """Training went wrong, for example a loss that is no longer finite."""


class ExportError(FacestreamError):
    """A model could not be exported, or the export does not agree with its source."""


class WriteError(ExportError):
    """A file cannot be written: the folder is read-only, or the disk is full."""
