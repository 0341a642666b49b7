"""Runs that were told to hide faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.archive.record import settings
from engine.errors import UsageError


def check_shown(record: Mapping[str, Any], *, show_hidden: bool) -> None:
    """Refuse to show the pictures of a recording whose faces the run hid.

    Args:
        record: ``run.json``.
        show_hidden: show them all the same.

    Raises:
        UsageError: the run hid them.
    """
    redact = settings(record, "publish").get("redact", "none")
    if redact != "none" and not show_hidden:
        raise UsageError(
            f"this run was told to hide faces (publish.redact: {redact}), and its recording shows them: add --show-hidden"
        )
