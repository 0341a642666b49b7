"""The folder of training and test data: ``$FACESTREAM_DATA``, in recipes and as the default of commands.

It holds what the shipped recipes name: ``data/lfw_gray/train.zip``, ``video/*.mkv``, ``models/*.onnx`` and so on.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import UsageError

VARIABLE = "FACESTREAM_DATA"


def with_data_folder(text: str) -> str:
    """Put the folder in the place of ``$FACESTREAM_DATA``; without one the name stays, and shows in messages."""
    folder = os.environ.get(VARIABLE)
    return text.replace(f"${VARIABLE}", folder.rstrip("/")) if folder else text


def explained(message: str) -> str:
    """Say what to do about a message that names the folder, because there is none."""
    return f"{message} Set {VARIABLE} to the folder of the data." if f"${VARIABLE}" in message else message


def data_file(relative: str, option: str) -> Path:
    """Return a path (or pattern) in the folder, the default of ``option``.

    Raises:
        UsageError: there is no such folder.
    """
    path = f"${VARIABLE}/{relative}"
    if (found := with_data_folder(path)) == path:
        raise UsageError(f"{option} is missing: give it, or set {VARIABLE} to the folder that holds {relative}")
    return Path(found)
