"""Pictures as a video file, each with its own time, and the sound that goes with them as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.reformatter import ColorRange, Colorspace

from engine.contracts.frames import ColourMatrix, Planes, Uint8
from engine.decode.clock import StreamClock
from engine.decode.container import MAX_GAP_SECONDS, bridges, open_recording, origin_seconds
from engine.decode.packets import packets_of
from engine.errors import PublishError, UsageError
from engine.footage.copying import cannot_hold, sound_of
from engine.footage.encoders import TIME_BASE, Encoder

_COLOURS: dict[ColourMatrix, Colorspace] = {"bt601": Colorspace.ITU601, "bt709": Colorspace.ITU709}
_ENDINGS = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov"}
_WRITTEN_BEHIND_SECONDS = 1.0
_EARLY_SECONDS = 2.0


class Sound:
    """The sound of a recording, in the time of its pictures. Iterate once.

    Args:
        path: the recording.
        begin: seconds from the recording's beginning; what is heard before it is left out.
        end: likewise, of what is heard after it.
        seek: its time stamps do not jump: what is before ``begin`` is not read.
    """

    def __init__(self, path: Path, begin: float = 0.0, end: float = float("inf"), *, seek: bool = False) -> None:
        container, _ = open_recording(path)
        if seek:
            with suppress(av.error.FFmpegError):  # then it is read from the beginning
                container.seek(round((begin + origin_seconds(container) - _EARLY_SECONDS) * av.time_base), backward=True)
        self.container: InputContainer = container
        self.streams = sound_of(container)
        self._begin, self._end = begin, end
        self._clocks = {
            one.index: StreamClock(
                one.time_base or Fraction(1, 48_000), 0.02, MAX_GAP_SECONDS, starts_at_seconds=origin_seconds(container),
                bridge=bridges(container),
            )
            for one in self.streams
        }  # fmt: skip

    def packets(self) -> Iterator[tuple[float, av.Packet[Any]]]:
        """Yield its packets, each with its seconds from ``begin``."""
        if not self.streams:
            return
        with suppress(av.error.FFmpegError):  # it breaks off: the pictures, which do too, say so
            for packet in packets_of(self.container, *self.streams):
                if packet.pts is None:
                    continue
                seconds, _ = self._clocks[packet.stream.index].advance(packet.pts)
                if seconds > self._end:
                    return
                if seconds >= self._begin:
                    yield seconds - self._begin, packet


def check_ending(path: Path) -> None:
    """Return if a video file may be called like this.

    Raises:
        UsageError: nothing says what kind it is to be.
    """
    with TemporaryDirectory() as folder:
        try:
            av.open(f"file:{folder}/video{path.suffix}", "w").close()
        except ValueError as error:
            raise UsageError(_no_kind(path)) from error


def _no_kind(path: Path) -> str:
    return f"no kind of video file ends with {path.suffix or 'nothing'}: use .mp4 or .mkv"


class VideoFile:
    """A video that is being written. It takes the size and colours of its first picture; others are made to fit into it.

    Memory does not grow with the video's length.

    Args:
        path: the file; its ending says what kind it is.
        encoder: of the pictures.
        rate: pictures per second, about.
        sound: what is copied beside them; it is read to its end, and closed.
        comment: stands in the file's metadata.
    """

    def __init__(self, path: Path, encoder: Encoder, rate: Fraction, sound: Sound | None = None, comment: str = "") -> None:
        self._path, self._encoder, self._rate, self._sound = path, encoder, rate, sound
        self._last = -1
        self._size_px = (0, 0)
        self._heard = iter(sound.packets()) if sound else iter(())
        self._next = next(self._heard, None)
        try:
            options = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}
            self._file = av.open(f"file:{path}", "w", options=options)
        except ValueError as error:
            raise PublishError(_no_kind(path)) from error
        if comment:
            self._file.metadata["comment"] = comment

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None and self._last >= 0:
                self._file.mux(self._video.encode(None))
                self._write_sound(float("inf"))
        finally:
            self._file.close()
            if self._sound is not None:
                self._sound.container.close()

    def write(self, planes: Planes, seconds: float) -> None:
        """Write a picture; one whose time does not grow is shown right after the one before.

        Raises:
            PublishError: such a file cannot hold what it should.
            av.error.FFmpegError, OSError: it cannot be encoded or written.
        """
        if self._last < 0:
            self._begin(planes)
        self._last = max(self._last + 1, round(seconds / TIME_BASE))
        frame = av.VideoFrame.from_ndarray(_even_i420(_fitted(planes, self._size_px)), "yuv420p")
        frame.pts, frame.time_base = self._last, TIME_BASE
        frame.color_range = self._range
        frame.colorspace = self._colours
        self._file.mux(self._video.encode(frame))
        self._write_sound(seconds - _WRITTEN_BEHIND_SECONDS)

    def _begin(self, planes: Planes) -> None:
        self._size_px = (planes.width_px, planes.height_px)
        width, height = (side + side % 2 for side in self._size_px)
        self._range = ColorRange.JPEG if planes.full_range else ColorRange.MPEG
        self._colours = _COLOURS.get(planes.matrix, Colorspace.BT2020)
        streams = self._sound.streams if self._sound else []
        try:
            self._video = self._encoder.add_to(self._file, width, height, self._rate)
            self._video.codec_context.color_range = self._range
            self._video.codec_context.colorspace = self._colours
            self._copied = {one.index: self._file.add_stream_from_template(one, opaque=True) for one in streams}
            self._file.start_encoding()
        except (av.error.FFmpegError, ValueError) as error:
            if not cannot_hold(error):
                raise
            sounds = " and ".join(one.codec_context.name for one in streams)
            holder = next((ending for ending in _ENDINGS if _holds(ending, streams)), "")
            advice = f"let it end with {holder}" if holder else "no other kind that is known can"
            raise PublishError(
                f"a file that ends with {self._path.suffix} cannot hold the sound of the recording ({sounds}): {advice}"
                if streams
                else f"a file that ends with {self._path.suffix} cannot hold {self._encoder.codec}: use .mp4 or .mkv"
            ) from error

    def _write_sound(self, until: float) -> None:
        while self._next is not None and self._next[0] <= until:
            seconds, packet = self._next
            ticks = round(Fraction(seconds) / packet.time_base)
            packet.pts, packet.dts = ticks, ticks
            packet.stream = self._copied[packet.stream.index]
            self._file.mux(packet)
            self._next = next(self._heard, None)


def _holds(ending: str, streams: Sequence[AudioStream]) -> bool:
    try:
        with av.open(BytesIO(), "w", _ENDINGS[ending]) as container:
            for one in streams:
                container.add_stream_from_template(one, opaque=True)
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _fitted(planes: Planes, size_px: tuple[int, int]) -> Planes:
    """Return a picture of this size: another one as large as fits, with black beside it."""
    width, height = size_px
    if (planes.width_px, planes.height_px) == size_px:
        return planes
    scale = min(width / planes.width_px, height / planes.height_px)
    inner = max(2, 2 * round(planes.width_px * scale / 2)), max(2, 2 * round(planes.height_px * scale / 2))
    left, top = 2 * ((width - inner[0]) // 4), 2 * ((height - inner[1]) // 4)

    def placed(plane: Uint8, by: int, background: int) -> Uint8:
        whole = np.full(((height + by - 1) // by, (width + by - 1) // by), background, np.uint8)
        small = cv2.resize(plane, (inner[0] // by, inner[1] // by), interpolation=cv2.INTER_AREA)
        rows, columns = whole[top // by :, left // by :].shape
        small = small[:rows, :columns]
        whole[top // by : top // by + small.shape[0], left // by : left // by + small.shape[1]] = small
        return whole

    black = 0 if planes.full_range else 16
    return Planes(
        placed(planes.y, 1, black), placed(planes.u, 2, 128), placed(planes.v, 2, 128), planes.matrix, planes.full_range
    )


def _even_i420(planes: Planes) -> Uint8:
    """Return a picture as encoders take it, (height * 3 / 2, width): an odd one with its last line or column once more."""
    luma = planes.y
    height, width = luma.shape
    if height % 2 or width % 2:
        luma = np.pad(luma, ((0, height % 2), (0, width % 2)), "edge")
        height, width = luma.shape
    i420 = np.empty((height * 3 // 2, width), np.uint8)
    i420[:height] = luma
    chroma = i420[height:].reshape(2, height // 2, width // 2)
    chroma[0], chroma[1] = planes.u, planes.v
    return i420
