"""A camera is added and removed while another one goes on, which does not notice."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from engine.client import load_run
from engine.config import Config, CropConfig, DetectConfig, OutputConfig, SourceConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.camera import Camera
from engine.pipeline.control import RunControl
from engine.pipeline.run import run_pipeline
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from tests.e2e.live_run import make_clip
from tests.e2e.processes import children_of
from tests.processes import open_files
from tests.rtsp.fixtures import StartGst, gst

__all__ = ["gst"]
pytestmark = pytest.mark.e2e
ROUNDS = 3


def workers() -> dict[str, int]:
    return {name: pid for name, pid in children_of(os.getpid()).items() if name.startswith("fs-")}


class Story:
    """What happens in the run, told by its observer: it goes on to the next step when the condition before it holds."""

    def __init__(self, control: RunControl, guest: Camera) -> None:
        self.control, self.guest = control, guest
        self.open_files: list[dict[str, Counter[str]]] = []
        """Of this process and of perceive, after each round."""
        self.gone: list[int] = []
        """When it was said that nothing of the guest will come any more (Unix, nanoseconds)."""
        self._is_removed = False
        control.on_gone = self._note_gone
        self.seen: set[str] = set()
        self._streams: Mapping[str, StreamStatus] = {}
        self._steps: Iterator[bool] | None = None

    def __call__(self, status: RunStatus) -> None:
        self.seen |= {
            str(event.fields.get("state", event.name)) for event in status.events if event.fields.get("stream") == "stays"
        }
        self._streams = status.streams  # as they are now: the next status is another copy
        self._steps = self._steps or self._tell()
        next(self._steps, None)

    def _note_gone(self) -> None:
        if self._is_removed and not self.control.may_read("guest"):
            self.gone.append(time.time_ns())
            self._is_removed = False

    def _tell(self) -> Iterator[bool]:
        while self._streams["stays"].frames < 5:
            yield False
        for _ in range(ROUNDS):
            self.control.add(self.guest)
            while "guest" not in self._streams or self._streams["guest"].is_over or self._streams["guest"].frames < 5:
                yield False
            before = self._streams["guest"].frames
            assert "fs-camera-guest" in workers()
            self.control.remove("guest")
            self._is_removed = True
            while not self._streams["guest"].is_over or "fs-camera-guest" in workers():
                yield False
            assert (self._streams["guest"].state, self._streams["guest"].detail) == (
                "ended",
                "the camera was removed",
            )
            assert before >= 5
            frames = self._streams["stays"].frames
            while self._streams["stays"].frames < frames + 10:  # by then its neighbours know
                yield False
            self.open_files.append({"ours": open_files(), "perceive": open_files(workers()["fs-perceive"])})
        signal.raise_signal(signal.SIGTERM)


def test_a_camera_comes_and_goes(gst: StartGst, tmp_path: Path) -> None:
    clip, _ = make_clip(tmp_path)
    server = gst({"one": clip, "two": clip})
    config = Config(
        sources=[SourceConfig(uri=server.url("one"), name="stays")],
        detect=DetectConfig(every=5),
        crop=CropConfig(policy="best"),
        super_resolve=SuperResolveConfig(generator="none", workers=1),
        verify=VerifyConfig(embedder="none"),
        output=OutputConfig(directory=str(tmp_path / "out"), report=False),
    )
    control = RunControl()
    story = Story(control, Camera("guest", server.url("two"), "guest"))
    result = run_pipeline(config, story, duration_seconds=200, control=control)
    assert len(story.open_files) == ROUNDS, "the run ended before the story"
    for name, after in story.open_files[-1].items():
        assert not after - story.open_files[1][name], "nothing of a guest is left behind"
    assert story.seen == {"connecting", "live", "ended"} or story.seen == {"live", "ended"}
    lost = {name: count for name, count in result.counters.items() if "worker_died" in name}
    assert (result.outcome, result.status.restarts, lost) == ("drained", 0, {}), result.counters
    assert workers() == {}
    said = messages_of(tmp_path / "out", "guest")
    lives = [[kind for sent, kind in said if begin < sent <= end] for begin, end in pairwise([0, *story.gone])]
    assert len(lives) == ROUNDS
    for life in lives:  # another machine that begins when it hears of it never publishes beside this one
        assert (life[0], life[-1]) == ("connecting", "ended"), "it is said when the last word has been sent, and not before"
    assert sum(map(len, lives)) == len(said), "and nothing comes after it"


def messages_of(directory: Path, stream: str) -> list[tuple[int, str]]:
    """Return when each message of a stream was sent, and what it was."""
    run = load_run(directory)
    found = [(one.sent_ns, one.state) for one in run.streams() if one.stream == stream]
    found += [(one.face.sent_ns, "face") for one in run.faces() if one.face.stream == stream]
    return sorted(found + [(one.track.sent_ns, "track") for one in run.track_messages() if one.track.stream == stream])
