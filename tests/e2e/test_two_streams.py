"""A whole run over the two streams of one camera, of which the larger one goes and comes back, and whose workers die."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from tests.e2e.live_run import LiveRun, make_clip
from tests.patience import until
from tests.rtsp.clips import Clip, encode
from tests.rtsp.fixtures import StartGst, gst
from tests.rtsp.server import Live

__all__ = ["gst"]
pytestmark = pytest.mark.e2e


def test_faces_are_cut_from_the_main_stream_while_it_is_there(gst: StartGst, tmp_path: Path) -> None:
    sub, options = make_clip(tmp_path)
    width, height = sub.size_px
    main = doubled(sub, tmp_path)
    small, large = gst({"sub": Live(sub, 0.05)}), gst({"main": Live(main, 0.1)})
    config = tmp_path / "two.yaml"
    source = {"uri": small.url("sub"), "crop_uri": large.url("main"), "name": "door", "hwaccel": "none"}
    config.write_text(yaml.safe_dump({"sources": [source], "live": {"crop_wait_ms": 400.0}}), encoding="utf-8")

    def widths(since_ns: int = 0) -> set[int]:
        run.assert_running()
        return {face.width_px for face in run.faces if face.captured_ns > since_ns}

    with LiveRun(tmp_path, str(config), *options) as run:
        until(lambda: 2 * width in widths())
        large.kill()
        killed_ns = time.time_ns() + 2 * 10**9
        until(lambda: width in widths(killed_ns))
        large.start()
        started_ns = time.time_ns()
        until(lambda: 2 * width in widths(started_ns))
        for victim in ("fs-perceive", "fs-camera-door"):
            dead = run.workers[victim]
            os.kill(dead, signal.SIGKILL)
            until(lambda victim=victim, dead=dead: run.workers.get(victim, dead) != dead)
            replaced_ns = time.time_ns()
            until(lambda since=replaced_ns: 2 * width in widths(since))
        code, said = run.stop()
        assert code == 0, said
    assert said.count("door: its main stream is away") == 1
    for face in run.faces:
        assert (face.width_px, face.height_px) in [(width, height), (2 * width, 2 * height)]
        x, y, across, down = face.crop_box
        assert 0 <= x < x + across <= face.width_px
        assert 0 <= y < y + down <= face.height_px
    states = [message.state for message in run.states("door")]
    assert states[: states.index("discontinuity")] == ["connecting", "live"], "the stream's state stays one"
    counters = run.ends[-1].counters
    assert counters["main_faces.door"] > 0
    assert counters["sub_faces.door"] > 0
    assert counters["main.missed.away"] > 0


def doubled(sub: Clip, folder: Path) -> Clip:
    """Return the same clip at twice the size."""
    pictures = []
    with av.open(str(sub.path)) as container:
        for frame in container.decode(video=0):
            pictures.append(np.asarray(frame.reformat(2 * frame.width, 2 * frame.height, "yuv420p").to_ndarray()))
    return encode(pictures, folder / "main.h264", fps=sub.fps, kbps=2000)
