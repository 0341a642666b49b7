"""A camera is read only as long as it may be: looked at in its own process, so that it holds whatever the others do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.contracts.camera import Camera
from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.fleet.permit import Permit

_Item = Frame | StreamChanged | None


def permitted(items: Iterable[_Item], camera: Camera) -> Iterator[_Item]:
    """Pass on what a camera's decoder gives until its permit is over, and then one last ``ended``.

    Args:
        items: a decoder's, which gives something at least every 50 ms.
        camera: with or without a permit.
    """
    if not camera.permit:
        yield from items
        return
    with Permit(Path(camera.permit)) as permit:
        waiting = iter(items)
        while permit.is_good:
            try:
                item = next(waiting)
            except StopIteration:
                return
            if permit.is_good:
                yield item
    yield StreamChanged(camera.name, "ended", "drained", "the lease of this node is over")
