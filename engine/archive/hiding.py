"""Whether a run was told to hide faces (``publish.redact``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.archive.record import settings
from engine.errors import UsageError


def hiding_of(run: Mapping[str, Any]) -> str:
    """Return what a run was told to hide: ``none``, ``blur`` (faces that were not recognised) or ``vectors`` (all pictures).

    Args:
        run: ``run.json``.
    """
    return str(settings(run, "publish").get("redact") or "none")


def hides_faces(run: Mapping[str, Any]) -> bool:
    """Whether a run hid faces: then its recordings, which show them, are not shown either."""
    return hiding_of(run) != "none"


def check_shown(run: Mapping[str, Any], *, show_hidden: bool) -> None:
    """Refuse to show the pictures of a recording whose faces the run hid.

    Args:
        run: ``run.json``.
        show_hidden: show them all the same.

    Raises:
        UsageError: the run hid them.
    """
    if hides_faces(run) and not show_hidden:
        raise UsageError(
            f"this run was told to hide faces (publish.redact: {hiding_of(run)}), and its recording shows them: "
            "add --show-hidden"
        )
