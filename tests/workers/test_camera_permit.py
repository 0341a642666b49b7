"""A camera's process ends the camera when its permit is over, whoever else hangs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.config import DecodeConfig
from engine.contracts.camera import Camera
from engine.contracts.orders import Begin
from engine.contracts.streams import StreamChanged
from engine.runtime.permit import Permit, now_seconds
from engine.workers import camera as module
from engine.workers.camera import CameraWorker


class Decoder:
    """A camera that says nothing, for ever."""

    def __init__(self, camera: Camera, config: DecodeConfig) -> None:
        self.counted = SimpleNamespace(copy=lambda: self.counted, decode_ns=0, drops={}, counts={"frames": 0})
        self.wake = self.close = lambda: None
        self.given = 0

    def __iter__(self) -> Iterator[None]:
        while True:
            self.given += 1
            time.sleep(0.001)  # as long as nothing comes
            yield None


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[CameraWorker, Permit, list[object]]]:
    sent: list[object] = []
    ways = SimpleNamespace(start=lambda: None, close=lambda: None, pass_on=lambda: None, note=lambda event: None)
    writer = SimpleNamespace(tell=sent.append, close=lambda: None)
    monkeypatch.setattr(module, "LiveDecoder", Decoder)
    monkeypatch.setattr(module, "FrameWriter", lambda *given, **more: writer)
    monkeypatch.setattr(module, "way_of", lambda *given: ways)
    monkeypatch.setattr(CameraWorker, "turn", lambda self, seconds: self.obey(Begin({})))
    monkeypatch.setattr(CameraWorker, "last_word", lambda self: "end")
    context = SimpleNamespace(control=SimpleNamespace(send=lambda event: None), telemetry=None)
    with Permit(tmp_path / "permit", writes=True) as permit:
        camera = Camera(name="door", url="rtsp://192.0.2.1/x", shown="door", permit=str(tmp_path / "permit"))
        yield CameraWorker(context, SimpleNamespace(), camera, DecodeConfig()), permit, sent  # type: ignore[arg-type]


def test_it_is_read_until_its_permit_is_over(worker: tuple[CameraWorker, Permit, list[object]]) -> None:
    camera, permit, sent = worker
    until = permit.until = now_seconds() + 0.2
    camera.run()
    assert until <= now_seconds() < until + 2.0
    assert sent == [StreamChanged("door", "ended", "drained", "the lease of this node is over"), "end"]


def test_it_is_not_begun_without_one(worker: tuple[CameraWorker, Permit, list[object]]) -> None:
    camera, _, sent = worker
    camera.run()
    assert camera._decoder.given == 0  # type: ignore[attr-defined]
    assert len(sent) == 2
