"""What the simulations are driven by: CPU time by item on this processor, and what real footage holds."""

from __future__ import annotations

import os
import random
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from engine.config import DecodeConfig
from engine.contracts.frames import Frame
from engine.decode.live import LiveDecoder
from engine.sessions.processor import processor_here
from tests.assets import SHARED
from tests.bench.fleet.chain import Chain, Spent, default_config
from tests.decode.watching import camera
from tests.rtsp.clips import Clip, recorded_clip
from tests.rtsp.server import GstServer

Look = Literal["camera", "recording"]
_KIND_SECONDS = 5.0
_KINDS = (("h264", 640, 360, 10), ("h264", 1280, 720, 15), ("h265", 1280, 720, 15), ("h264", 1920, 1080, 25))
_CONNECTIONS = 12
_FOOTAGE = "one-by-one-person-detection.mp4"
_MOST_SECONDS, _EVERY_CLIP = 20.0, 3
"""Of a long recording its beginning; of the many short clips every third."""


class Kind(msgspec.Struct, frozen=True):
    """A camera's or a recording's format, and what a picture of it costs."""

    codec: str
    width_px: int
    height_px: int
    fps: int
    decode_seconds: list[float]
    """Of core for each frame."""
    detect_seconds: list[float]
    """Of core for each frame that is looked at."""

    @property
    def name(self) -> str:
        return f"{self.width_px}x{self.height_px}@{self.fps} {self.codec}"


class Scene(msgspec.Struct, frozen=True):
    """What one clip of real footage holds."""

    clip: str
    seconds: float
    faces: int
    """That are chosen and enhanced."""
    tracks: int
    follow_seconds: float
    """Of core for each frame: following, choosing, cutting."""


class Measured(msgspec.Struct, frozen=True):
    """Everything that the simulations take from a machine."""

    processor: str
    cores: int
    load: float
    """Average load of the machine in the minute before the end of the measurement."""
    kinds: list[Kind]
    face_seconds: list[float]
    """Of core for each face: enlarging, embedding, comparing, encoding its pictures."""
    track_seconds: list[float]
    """Of core for each track: its picture of many frames, and its last word."""
    scenes: dict[Look, list[Scene]]
    """By how they are looked at: as a camera chooses faces, or as a recording does."""
    connect_seconds: list[float]
    """From a decision to read a camera to its first picture, over RTSP with a key frame each second."""
    open_seconds: float
    """Until a process has opened all models."""


def measure(folder: Path) -> Measured:
    """Measure everything, on one core, in some minutes; files go to ``folder``."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        begun = time.thread_time()
        chains = {look: Chain(default_config(folder), live=look == "camera") for look in ("recording", "camera")}
        opened = (time.thread_time() - begun) / len(chains)
        scenes: dict[Look, list[Scene]] = {}
        faces, tracks = list[float](), list[float]()
        for look, chain in chains.items():
            with closing(chain):
                for path in footage(folder):
                    spent = chain.run(path, _MOST_SECONDS)
                    scenes.setdefault(look, []).append(_scene(path, spent))
                    faces += spent.face
                    tracks += spent.track
        kinds = list(_kinds(folder))
    finally:
        os.sched_setaffinity(0, allowed)
    return Measured(
        processor_here(), len(allowed), os.getloadavg()[0], kinds, faces, tracks, scenes, list(_connections(folder)), opened
    )


def footage(folder: Path) -> list[Path]:
    """Return real recordings, those of the archive unpacked into ``folder``."""
    unpacked = folder / "clips"
    if not unpacked.exists():
        with zipfile.ZipFile(SHARED / "data" / "tracks.zip") as archive:
            archive.extractall(folder, [name for name in archive.namelist() if name.startswith("clips/")])
    return sorted((SHARED / "video").iterdir()) + sorted(unpacked.iterdir())[::_EVERY_CLIP]


def _scene(path: Path, spent: Spent) -> Scene:
    follow = sum(spent.follow) / max(1, len(spent.follow))
    seconds = spent.media_seconds + spent.media_seconds / max(1, len(spent.decode) - 1)
    return Scene(path.stem, seconds, len(spent.face), len(spent.track), follow)


def _kinds(folder: Path) -> Iterator[Kind]:
    chain = Chain(default_config(folder), live=False)
    with closing(chain):
        for codec, width, height, fps in _KINDS:
            path = folder / f"{width}x{height}@{fps}.{codec}"
            recorded_clip(SHARED / "video" / _FOOTAGE, path, codec, (width, height), fps, _KIND_SECONDS)
            spent = chain.run(path)
            yield Kind(codec, width, height, fps, spent.decode, spent.detect)


def _connections(folder: Path) -> Iterator[float]:
    clip = Clip(folder / "640x360@10.h264", "h264", 10, (640, 360), 10)
    pauses = random.Random(1)
    with GstServer({"cam": clip}) as server:
        for _ in range(_CONNECTIONS):
            begun = time.monotonic()
            with closing(LiveDecoder(camera(server.url("cam")), DecodeConfig())) as decoder:
                if any(isinstance(item, Frame) for item in decoder):
                    yield time.monotonic() - begun
            time.sleep(pauses.random())  # so that it does not always meet the same place of the clip


def load_or_measure(path: Path | None) -> Measured:
    """Read what was measured before, where ``path`` names it, else measure and write it there."""
    if path is not None and path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Measured)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder))
    if path is not None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(measured), indent=0))
    return measured
