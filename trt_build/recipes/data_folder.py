"""The folder of training and test data: ``$FACESTREAM_DATA``, in recipes and as the default of commands.

It holds what the shipped recipes name: ``data/lfw_gray/train.zip``, ``video/*.mkv``, ``models/*.onnx`` and so on.
"""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import UsageError

VARIABLE = "FACESTREAM_DATA"


def with_data_folder(text: str) -> str:
    """Replace ``$FACESTREAM_DATA`` by the folder; if it is not set, the name stays and appears in messages."""
    folder = os.environ.get(VARIABLE)
    return text.replace(f"${VARIABLE}", folder.rstrip("/")) if folder else text


def explained(message: str) -> str:
    """Add what to do to a message that contains the unset ``$FACESTREAM_DATA``."""
    return f"{message} Set {VARIABLE} to the folder of the data." if f"${VARIABLE}" in message else message


def data_file(relative: str, option: str) -> Path:
    """Return a path (or pattern) in the folder, as the default of ``option``.

    Raises:
        UsageError: the folder is not set.
    """
    path = f"${VARIABLE}/{relative}"
    if (found := with_data_folder(path)) == path:
        raise UsageError(f"{option} is missing: give it, or set {VARIABLE} to the folder that holds {relative}")
    return Path(found)
