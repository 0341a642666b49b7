"""What the base install leaves out."""

from __future__ import annotations

import importlib.util

from engine.errors import MissingRuntimeError


def require(module: str, what: str) -> None:
    """Say how to install what the base install leaves out."""
    require_from(module, what, "train")


def require_from(module: str, what: str, extra: str) -> None:
    """Say which extra of this package brings a module that is not there.

    Raises:
        MissingRuntimeError: it is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingRuntimeError(f"{what} needs {module}, which is not installed: pip install 'facestream[{extra}]'.")
