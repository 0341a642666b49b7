"""What to do where nobody is enrolled, in the same words wherever that is noticed."""

from __future__ import annotations

import shlex

from engine.words.redaction import redact


def enrol_command(gallery: str = "") -> str:
    """Return the command that enrols somebody.

    Args:
        gallery: as ``verify.gallery`` names it; empty: the user's own.
    """
    where = f" --gallery {shlex.quote(redact(gallery))}" if gallery else ""
    return f"facestream enrol NAME PICTURE{where}"
