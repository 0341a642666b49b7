"""What the base install leaves out."""

from __future__ import annotations

import importlib.util

from engine.errors import MissingRuntimeError


def require(module: str, what: str) -> None:
    """Say how to install what the base install leaves out."""
    if importlib.util.find_spec(module) is None:
        raise MissingRuntimeError(f"{what} needs {module}, which is not installed: pip install 'facestream[train]'.")
