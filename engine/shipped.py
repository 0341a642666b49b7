"""Where the configuration examples and training recipes lie: in the package that is installed, or at the top of the source."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(folder: str) -> Path:
    """Return the folder ``configs/FOLDER``: ``pipelines`` has configurations, ``train`` recipes."""
    installed = _PACKAGE / "configs" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / "configs" / folder
