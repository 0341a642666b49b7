"""What to do when nobody is enrolled, in the same words everywhere."""

from __future__ import annotations

import shlex

from engine.words.redaction import redact


def enrol_command(gallery: str, key_file: str = "") -> str:
    """Return the command that enrols somebody.

    Args:
        gallery: as ``verify.gallery`` names it; empty: the user's own.
        key_file: as ``verify.gallery_key_file`` names it; empty: it is not encrypted.
    """
    where = f" --gallery {shlex.quote(redact(gallery))}" if gallery else ""
    key = f" --gallery-key {shlex.quote(key_file)}" if key_file else ""
    return f"facestream enrol NAME PICTURE{where}{key}"
