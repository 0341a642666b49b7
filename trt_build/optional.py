"""Checks for packages that the base install leaves out."""

from __future__ import annotations

import importlib.util

from engine.errors import MissingRuntimeError


def require(module: str, what: str) -> None:
    """Check that a module of the extra `train` is installed; see ``require_from``."""
    require_from(module, what, "train")


def require_from(module: str, what: str, extra: str) -> None:
    """Check that a module is installed.

    Raises:
        MissingRuntimeError: it is missing; the message names our extra that installs it.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingRuntimeError(f"{what} needs {module}, which is not installed: pip install 'facestream[{extra}]'.")
