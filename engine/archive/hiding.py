"""Runs that were told to hide faces (``publish.redact``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.archive.record import settings


def hiding_of(run: Mapping[str, Any]) -> str:
    """Return what a run was told to hide: ``none``, ``blur`` (faces that were not recognised) or ``vectors`` (all pictures).

    Args:
        run: ``run.json``.
    """
    return str(settings(run, "publish").get("redact") or "none")


def hides_faces(run: Mapping[str, Any]) -> bool:
    """Whether a run hid faces: then its recordings, which show them, are not shown either."""
    return hiding_of(run) != "none"
