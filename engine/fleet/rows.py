"""What others have written into the database, as another release: what cannot be read concerns that row alone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.fleet.file import FleetCamera

CANNOT_BE_READ = "its entry in the database cannot be read by this release: upgrade, or run `facestream fleet apply FLEET.yaml`"
_Told = TypeVar("_Told")


def camera_in(name: str, told: Any) -> FleetCamera | None:
    """Return the camera of a row, None where it is none, or another one."""
    with suppress(*UNREADABLE):
        camera = msgspec.convert(told, FleetCamera)
        return camera if camera.name == name else None
    return None


def told_by_node(told: Any, kind: type[_Told]) -> _Told | None:
    """Return what a node says; None where it cannot be read."""
    with suppress(*UNREADABLE):
        return msgspec.convert(told, kind)
    return None
