"""Runs that were told to hide faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.archive.hiding import hides_faces, hiding_of
from engine.errors import UsageError


def check_shown(record: Mapping[str, Any], *, show_hidden: bool) -> None:
    """Refuse to show the pictures of a recording whose faces the run hid.

    Args:
        record: ``run.json``.
        show_hidden: show them all the same.

    Raises:
        UsageError: the run hid them.
    """
    if hides_faces(record) and not show_hidden:
        raise UsageError(
            f"this run was told to hide faces (publish.redact: {hiding_of(record)}), and its recording shows them: "
            "add --show-hidden"
        )
