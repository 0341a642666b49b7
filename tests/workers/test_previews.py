"""Previews are made of the streams that somebody asks for, and of no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zmq

from engine.contracts.frames import Frame, FrameTime, Planes
from engine.contracts.tap import Preview, Tap, decode_preview
from engine.workers import previews
from engine.workers.previews import watched

GREY = Planes(*(np.full((size, size), 7, np.uint8) for size in (16, 8, 8)))


class Core:
    """In the place of perception: remembers whom it made a preview of."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def preview(self, frame: Frame, now_seconds: float) -> tuple[Preview, bytes]:
        self.asked.append(frame.stream)
        return Preview(frame.stream, frame.time.frame_index, 0, 16, 16, []), b"jpeg"


def of(stream: str, index: int) -> Frame:
    return Frame(stream, FrameTime(index, None, (1, 25), 0.0, 0), GREY)


def test_only_streams_that_somebody_watches_are_shown(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(previews, "_LOOK_SECONDS", 0.0)
    core, tap = Core(), Tap.in_folder(tmp_path / "service")
    with watched(tap, core, "run1") as show, zmq.Context() as context:  # type: ignore[arg-type]
        assert show is not None
        show(of("yard", 0))
        assert core.asked == []
        with context.socket(zmq.SUB) as watcher:
            watcher.setsockopt(zmq.LINGER, 0)
            watcher.setsockopt(zmq.SUBSCRIBE, b"v1/preview/yard/")
            watcher.connect(tap.previews)
            for index in range(1, 500):
                show(of("gate", index))
                show(of("yard", index))
                if watcher.poll(10):
                    break
            topic, header, picture = watcher.recv_multipart()
    assert (topic, picture) == (b"v1/preview/yard/", b"jpeg")
    shown = decode_preview(header)
    assert (shown.stream, shown.run_id) == ("yard", "run1")
    assert set(core.asked) == {"yard"}
    assert list((tmp_path / "service").iterdir()) == [], "its file is gone"


def test_without_a_tap_nothing_is_opened():
    with watched(None, Core(), "run1") as show:  # type: ignore[arg-type]
        assert show is None
