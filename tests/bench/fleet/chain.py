"""The product's cores one after the other in one thread: what a worker does with a recording, timed by stage."""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from engine.config import Config
from engine.config.file import load_config
from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.decode.decoder import Decoder
from engine.decode.detection_pace import DetectionPace
from engine.enhancement import models as enhancing
from engine.enhancement.enhancement import Enhancement
from engine.perception import models as perceiving
from engine.perception.perception import Perception
from engine.runtime.telemetry import Telemetry

NAME = "recording"


@dataclass
class Spent:
    """What one recording took, in CPU seconds of the thread, item by item."""

    decode: list[float] = field(default_factory=list)
    """Of each frame."""
    detect: list[float] = field(default_factory=list)
    """Of each frame that the detector looked at."""
    follow: list[float] = field(default_factory=list)
    """Of each frame: following its faces, choosing and cutting."""
    face: list[float] = field(default_factory=list)
    """Of each face that was chosen: enlarging, comparing, encoding."""
    track: list[float] = field(default_factory=list)
    """Of each track: its picture and its last word."""
    moments: list[tuple[float, str]] = field(default_factory=list)
    """(media second, "detect", "face" or "track"): when there was what to do."""
    media_seconds: float = 0.0
    size_px: tuple[int, int] = (0, 0)

    @property
    def total(self) -> float:
        return sum(map(sum, (self.decode, self.detect, self.follow, self.face, self.track)))


class Chain:
    """Open models, used for one recording after another.

    Args:
        config: of all; sources are ignored.
        live: choose and look as for a camera, by the clock of the recording, so often as ``live.detect_fps`` says.
    """

    def __init__(self, config: Config, *, live: bool) -> None:
        self._config, self._live = config, live
        self._perceiving = perceiving.OpenModels(config, lambda warned: None)
        self._enhancing = enhancing.OpenModels(config, lambda warned: None, prompt=False)

    def close(self) -> None:
        self._enhancing.close()
        self._perceiving.close()

    def run(self, path: Path, most_seconds: float = math.inf) -> Spent:
        """Work through a recording, or as much of its beginning."""
        telemetry, spent = Telemetry("chain"), Spent()
        perception, enhancement = self._perceiving.core(telemetry), self._enhancing.core(telemetry)
        pace = DetectionPace(self._config.live.detect_fps)
        first = time.thread_time()
        with closing(Decoder(NAME, path, self._config.decode, self._config.detect.every)) as decoder:
            for item in decoder:
                if isinstance(item, Frame):
                    spent.decode.append(time.thread_time() - first)
                    spent.media_seconds, spent.size_px = item.time.pts_seconds, (item.planes.width_px, item.planes.height_px)
                    marked = pace.mark(item.time.pts_seconds) if self._live else item.detect
                    self._frame(item, spent, perception, enhancement, marked=marked)
                else:
                    self._event(item, spent, perception, enhancement)
                if spent.media_seconds >= most_seconds:
                    self._pass_on(
                        perception.change(StreamChanged(NAME, "ended"), live=self._live),
                        spent.media_seconds,
                        spent,
                        enhancement,
                    )
                    break
                first = time.thread_time()
        return spent

    def _frame(self, frame: Frame, spent: Spent, perception: Perception, enhancement: Enhancement, *, marked: bool) -> None:
        begun, found, now = time.thread_time(), None, frame.time.pts_seconds
        if perception.is_detection_due(NAME, marked=marked, live=self._live):
            (found,) = perception.detect([frame.planes])
            spent.detect.append(time.thread_time() - begun)
            spent.moments.append((now, "detect"))
            begun = time.thread_time()
        items = perception.take(frame, found, now, live=self._live)
        spent.follow.append(time.thread_time() - begun)
        self._pass_on(items, now, spent, enhancement)

    def _event(self, event: StreamChanged, spent: Spent, perception: Perception, enhancement: Enhancement) -> None:
        self._pass_on(perception.change(event, live=self._live), spent.media_seconds, spent, enhancement)

    def _pass_on(self, items: list, now: float, spent: Spent, enhancement: Enhancement) -> None:
        for item in items:
            begun = time.thread_time()
            if isinstance(item, FaceCrop):
                enhancement.finish([item], enhancement.enlarge([item]))
                spent.face.append(time.thread_time() - begun)
                spent.moments.append((now, "face"))
            elif isinstance(item, TrackClosed):
                enhancement.close_track(item)
                spent.track.append(time.thread_time() - begun)
                spent.moments.append((now, "track"))


def default_config(folder: Path) -> Config:
    """Return the settings that a user gets who says nothing, with an empty gallery in ``folder``."""
    return load_config(None, {"sources": [{"uri": "unused"}], "verify": {"gallery": str(folder / "gallery.sqlite")}})
