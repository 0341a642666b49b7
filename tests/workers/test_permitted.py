"""A camera's process ends the camera when its permit is over, whoever else hangs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.contracts.camera import Camera
from engine.contracts.streams import StreamChanged
from engine.fleet.permit import Permit, now_seconds
from engine.workers.permitted import permitted

OVER = StreamChanged("door", "ended", "drained", "the lease of this node is over")


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(name="door", url="rtsp://192.0.2.1/x", shown="door", permit=str(tmp_path / "permit"))


def silent() -> Iterator[None]:
    """A camera that says nothing, for ever."""
    while True:
        time.sleep(0.001)  # as long as nothing comes
        yield None


def test_it_is_read_until_its_permit_is_over(camera: Camera) -> None:
    asked_too_late: list[bool] = []

    def given() -> Iterator[None]:
        for number, nothing in enumerate(silent()):
            if number == 3:
                permit.until = now_seconds() + 0.05
            asked_too_late.append(now_seconds() > permit.until)
            yield nothing

    with Permit(Path(camera.permit), writes=True) as permit:
        permit.until = now_seconds() + 3600.0
        *before, last = permitted(given(), camera)
        assert now_seconds() >= permit.until
    assert last == OVER
    assert len(before) >= 3
    assert set(before) == {None}
    assert sum(asked_too_late) <= 1, "what was asked for just before its end"


def test_it_is_not_begun_without_one_and_needs_none_where_it_has_no_lease(camera: Camera) -> None:
    live = StreamChanged("door", "live")
    with Permit(Path(camera.permit), writes=True):
        assert list(permitted(iter([live]), camera)) == [OVER]
    assert list(permitted(iter([live]), replace(camera, permit=""))) == [live]
    assert len(list(itertools.islice(permitted(silent(), replace(camera, permit="")), 9))) == 9
