"""Renders a short surveillance-like clip with known ground truth: ``facestream sample``.

Written are the clip, ``NAME.truth.json`` (who is where in every frame) and ``NAME-enrol/PERSON.png``: one picture of each
person for the gallery, but for one who is seen from the side, from another crop, scale and brightness of the same photograph.
Identity scores on this clip are therefore better than on any camera: it shows that the parts work together, not how well a
recogniser does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np

from engine.contracts.frames import Uint8
from engine.errors import ConfigError, PublishError
from engine.pictures.x264 import repeatable_x264
from engine.sample.actors import Actor
from engine.sample.people import PEOPLE, Person, photographs
from engine.sample.scene import FPS, WAYS, Camera, hall, walk
from engine.sample.truth import Truth, TruthBox
from engine.whole_file import replacing, write_whole

NOISE_LEVELS = 2.6
"""Standard deviation of the luma noise, of 255; chroma has half."""


@dataclass(frozen=True, slots=True)
class SampleClip:
    """What was written."""

    video: Path
    truth: Path
    enrolment: dict[str, Path]
    frames: int
    codec: str


def files_of_sample(out: Path) -> tuple[Path, Path, Path]:
    """Return the clip, its ground truth, and the folder of its enrolment pictures, as ``render_sample`` writes them."""
    return out, out.with_suffix(".truth.json"), out.with_name(f"{out.stem}-enrol")


def render_sample(
    out: Path,
    seconds: float = 20.0,
    seed: int = 0,
    size_px: tuple[int, int] = (1280, 720),
    bits_per_second: int = 900_000,
    progress: Callable[[int, int], None] | None = None,
) -> SampleClip:
    """Write the clip ``out``, its ground truth and its enrolment pictures; the same arguments give the same files.

    Where there is a clip it is whole, and the rest is there.

    Args:
        out: the video to write; its folder is made.
        seconds: length; everybody's way repeats after 20 s.
        seed: who takes which way, and all that is random.
        size_px: width and height, even, 320x240 to 3840x2160; faces are 20 to 80 px wide whatever the size.
        bits_per_second: for the encoder; low, as a recorder would have it.
        progress: called with (frames done, frames in all).

    Raises:
        ConfigError: an argument is out of range.
        PublishError: a file cannot be written.
    """
    _check(seconds, size_px, bits_per_second)
    frames = round(seconds * FPS)
    rng = np.random.default_rng(seed)
    scene = _Scene(Camera(*size_px), frames, rng)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _, truth, folder = files_of_sample(out)
        boxes: list[list[TruthBox]] = []
        with replacing(out, public=True) as video, _gone_on_failure(folder):
            codec = _encode(video, scene.render(boxes, progress), size_px, bits_per_second)
            enrolment = _write_enrolment(folder, scene.people)
            names = {name: f"{path.parent.name}/{path.name}" for name, path in enrolment.items()}
            write_whole(truth, msgspec.json.encode(Truth(out.name, seed, FPS, *size_px, names, boxes)))
    except OSError as error:
        raise PublishError(f"cannot write the sample {out}: {error.strerror or error}") from error
    return SampleClip(out, truth, enrolment, frames, codec)


def _check(seconds: float, size_px: tuple[int, int], bits_per_second: int) -> None:
    width, height = size_px
    if not 1 / FPS <= seconds <= 3600:
        raise ConfigError(f"a sample of {seconds:g} s cannot be rendered: use 0.04 to 3600 seconds")
    if width % 2 or height % 2 or not (320 <= width <= 3840 and 240 <= height <= 2160):
        raise ConfigError(f"a sample of {width}x{height} cannot be rendered: use even sides between 320x240 and 3840x2160")
    if not 50_000 <= bits_per_second <= 50_000_000:
        raise ConfigError(f"{bits_per_second} bits per second is not a sensible bit-rate: use 50000 to 50000000")


class _Scene:
    """The hall and everybody in it."""

    def __init__(self, camera: Camera, frames: int, rng: np.random.Generator) -> None:
        self._camera, self._frames, self._rng = camera, frames, rng
        self._hall = hall(camera, rng)
        self.people = _cast(rng)
        self._actors = [
            Actor(person, walk(camera, way, frames), camera, rng) for way, person in zip(WAYS, self.people, strict=True)
        ]
        self._noise = [_noise(camera, rng) for _ in range(3)]

    def render(self, boxes: list[list[TruthBox]], progress: Callable[[int, int], None] | None) -> Iterator[Uint8]:
        """Yield every frame as I420, (height * 3 / 2, width); its truth is appended to ``boxes`` first."""
        height, width = self._hall.shape[:2]
        ranks = np.empty((height, width), np.uint8)
        for index in range(self._frames):
            picture = self._hall.copy()
            ranks.fill(0)
            nearest_last = sorted(self._actors, key=lambda actor: actor.way[index, 1])
            for rank, actor in enumerate(nearest_last, start=1):
                actor.paint(picture, rank, ranks, index)
            truth = [_truth(actor, index, rank, ranks) for rank, actor in enumerate(nearest_last, start=1)]
            boxes.append([box for box in reversed(truth) if box is not None])
            yield self._expose(picture, index)
            if progress:
                progress(index + 1, self._frames)

    def _expose(self, picture: Uint8, index: int) -> Uint8:
        """Add slow lighting change and sensor noise, and convert to BT.601 video range."""
        seconds = index / FPS
        light = 1 + 0.05 * np.sin(2 * np.pi * seconds / 13) + 0.006 * np.sin(2 * np.pi * seconds * 1.7)
        planes = cv2.cvtColor(cv2.convertScaleAbs(picture, alpha=light), cv2.COLOR_BGR2YUV_I420)
        brighter, darker = self._noise[self._rng.integers(len(self._noise))]
        row, column = self._rng.integers(0, 64, 2)
        window = np.s_[row : row + planes.shape[0], column : column + planes.shape[1]]
        return np.asarray(cv2.subtract(cv2.add(planes, brighter[window]), darker[window]), np.uint8)


def _cast(rng: np.random.Generator) -> list[Person]:
    """Choose who takes which way: those who look aside stay far, as no detector finds them reliably; the astronaut waits."""
    aside = [person for person in PEOPLE if person.name in ("person-e", "person-f")]
    others = [person for person in PEOPLE if person not in aside and person.name != "astronaut"]
    rng.shuffle(others)
    fixed = {"stays far": aside[int(rng.integers(len(aside)))], "waits": PEOPLE[-1]}
    return [fixed[way] if way in fixed else others.pop() for way in WAYS]


def _noise(camera: Camera, rng: np.random.Generator) -> tuple[Uint8, Uint8]:
    """Return what to add and what to take away, larger than a frame by 64 on each side."""
    height = camera.height_px * 3 // 2 + 64
    noise = rng.standard_normal((height, camera.width_px + 64), np.float32) * NOISE_LEVELS
    noise[camera.height_px + 32 :] *= 0.5
    return np.clip(noise, 0, 255).round().astype(np.uint8), np.clip(-noise, 0, 255).round().astype(np.uint8)


def _truth(actor: Actor, index: int, rank: int, ranks: Uint8) -> TruthBox | None:
    """Return the actor's face, None where it is wholly outside the picture."""
    x, y, width, height = actor.box(index)
    rows = slice(max(round(y), 0), max(round(y + height), 0))
    columns = slice(max(round(x), 0), max(round(x + width), 0))
    inside = ranks[rows, columns]
    if not inside.size:
        return None
    visible = min(int(np.count_nonzero(inside <= rank)) / (width * height), 1.0)
    corners = round(x, 2), round(y, 2), round(width, 2), round(height, 2)
    return TruthBox(actor.person.name, corners, round(visible, 3))


@contextmanager
def _gone_on_failure(folder: Path) -> Iterator[None]:
    """Remove a folder if the block fails, unless it was there before."""
    was_there = folder.exists()
    try:
        yield
    except BaseException:
        if not was_there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _write_enrolment(folder: Path, people: list[Person]) -> dict[str, Path]:
    """Write one picture of each person who is not seen from the side, from the photograph itself: larger, darker, tilted as it
    was taken."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for person in people:
        if person.in_profile:
            continue
        x, y, width, height = person.enrolment_crop
        crop = photographs()[person.photograph][y : y + height, x : x + width]
        larger = cv2.resize(crop, None, fx=1.3, fy=1.3, interpolation=cv2.INTER_CUBIC)
        darker = (255 * (larger.astype(np.float32) / 255) ** 1.25).round().astype(np.uint8)
        written[person.name] = folder / f"{person.name}.png"
        write_whole(written[person.name], cv2.imencode(".png", darker)[1].tobytes())
    return written


def _encode(out: Path, frames: Iterator[Uint8], size_px: tuple[int, int], bits_per_second: int) -> str:
    """Write I420 pictures as H.264, or MPEG-4 where FFmpeg has no libx264; return the encoder's name."""
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(out), "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.bit_rate = bits_per_second
        context.thread_count = 1
        context.gop_size = 2 * FPS
        context.colorspace, context.color_range = 6, 1
        if codec == "libx264":
            context.options = {"preset": "veryfast", **repeatable_x264()}
        for index, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return codec
