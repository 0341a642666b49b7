"""A service with real cameras: they come, change, pause and go; what was asked for outlives a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import SourceConfig
from engine.control.answers import Done, Settings, Stream
from engine.control.verbs import AddStream, ChangeSettings, ChangeStream, Drain, PauseStream, RemoveStream, ResumeStream
from tests.e2e.live_run import make_clip
from tests.e2e.serving import Serving
from tests.patience import PATIENCE_SECONDS
from tests.rtsp.fixtures import StartGst, gst

__all__ = ["gst"]
pytestmark = pytest.mark.e2e


def test_cameras_come_change_pause_and_go(gst: StartGst, tmp_path: Path) -> None:
    clip, _ = make_clip(tmp_path)
    server = gst({"one": clip, "two": clip})
    more = f'sources: [{{uri: "{server.url("one")}", name: stays}}]'
    with Serving(tmp_path, more) as service:
        call = service.client.call
        service.wait(lambda: service.streams()["stays"].frames > 5)
        stays, run = service.workers["fs-camera-stays"], service.status().run_id
        call(AddStream(source=SourceConfig(uri=server.url("two"), name="guest")), Stream)
        service.wait(lambda: service.streams()["guest"].frames > 5)
        guest = service.workers["fs-camera-guest"]
        call(ChangeStream(name="guest", changes={"detect_fps": 2.0}), Stream)
        service.wait(lambda: service.workers.get("fs-camera-guest", guest) != guest)
        service.wait(lambda: service.streams()["guest"].state == "live")
        call(PauseStream(name="guest"), Stream)
        service.wait(lambda: "fs-camera-guest" not in service.workers)
        assert service.streams()["guest"].state == "paused"
        call(ResumeStream(name="guest"), Stream)
        service.wait(lambda: service.streams()["guest"].state == "live")
        frames = service.streams()["stays"].frames
        service.wait(lambda: service.streams()["stays"].frames > frames + 5)
        assert (service.workers["fs-camera-stays"], service.status().run_id) == (stays, run), "the other one did not notice"
        assert service.streams()["stays"].reconnects == 0

        call(PauseStream(name="stays"), Stream)
        before = {name: (one.source, one.paused) for name, one in service.streams().items()}
        service.kill()
        service.start()
        service.wait(lambda: service.streams()["guest"].state == "live")
        assert {name: (one.source, one.paused) for name, one in service.streams().items()} == before

        call(RemoveStream(name="guest"), Done)
        service.wait(lambda: not any(name.startswith("fs-camera-") for name in service.workers))
        assert list(service.streams()) == ["stays"], "it goes on without a camera"
        run = service.status().run_id
        call(ChangeSettings(changes={"crop.top_k": 3}), Settings)
        service.wait(lambda: service.status().run_id != run and service.status().state == "running")
        call(Drain(), Done)
        assert service.process.wait(PATIENCE_SECONDS) == 0, service.said
