"""Reads series of pictures, and animations, like recordings: frames as a viewer shows them, and the states of their stream."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import cast

import av
from msgspec.structs import replace

from engine.contracts.frames import Frame, FrameTime, Planes, Uint8
from engine.contracts.messages import Reason, StreamState
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.decode.animation import Animation
from engine.decode.display import Display
from engine.decode.recording_reader import Items, RecordingReader
from engine.decode.still import Still, read_still
from engine.errors import MissingRuntimeError, PictureError, SourceError
from engine.words.numbers import count
from engine.words.text import readable

_FINEST_RATE = 100_000


class SeriesDecoder(RecordingReader):
    """Reads the pictures of one recording, like ``Decoder``. Iterate once; not thread-safe.

    Iterating gives the same items as ``Decoder``. A picture that cannot be read is counted (``corrupt_packets``) and skipped;
    time continues nevertheless, and a frame's index is its picture's position in the series, from 0. If no picture can be read
    the last state is ``failed``. Bad input never raises.

    Args:
        recording: with its ``pictures``.
        detect_every: every n-th frame, from the start and from each change of size, is marked for detection.
        animation: the open animation if that is the only file; its pictures are read at their own times, and it is closed at
            the end.
    """

    def __init__(self, recording: Recording, detect_every: int = 1, animation: Animation | None = None) -> None:
        super().__init__()
        self._recording, self._detect_every, self._animation = recording, detect_every, animation
        rate = Fraction(recording.fps).limit_denominator(_FINEST_RATE)
        self._tick = Fraction(1, 1000) if animation else 1 / rate
        self._total = animation.pictures if animation else len(recording.pictures)
        self._several = 0
        """Number of files that hold more pictures than the one that was read."""
        self._halved = 0
        """Number of pictures that were read at half their width and height."""
        self._size_px = (0, 0)
        self._since_change = 0
        self._first_error: SourceError | None = None
        # Pictures of a series are not interlaced; only video has fields.
        self._display: Display[None] = Display(replace(recording.reading.appearance, deinterlace="off"))

    def _run(self) -> Items:
        yield self._state("connecting")
        time_base = (self._tick.numerator, self._tick.denominator)
        for place, (ticks, read) in enumerate(self._animation or self._series()):
            captured_ns = time.time_ns()
            self._counted.counts["packets"] += 1
            try:
                planes = self._shown(read)
            except SourceError as error:
                self._counted.counts["corrupt_packets"] += 1
                self._first_error = self._first_error or error
                continue
            before, self._size_px = self._size_px, (planes.width_px, planes.height_px)
            if before != self._size_px:
                self._since_change = 0
                yield self._state("discontinuity", "resolution_change") if any(before) else self._state("live")
            self._counted.counts["frames"] += 1
            detect = self._since_change % self._detect_every == 0
            self._since_change += 1
            seconds = ticks * self._tick
            when = FrameTime(place, ticks, time_base, float(seconds), captured_ns, recorded_ns=self._recorded_ns(seconds))
            yield Frame(self._recording.name, when, planes, detect)
        if self._animation:
            self._animation.close()
        yield self._last_state()

    def _series(self) -> Iterator[tuple[int, Callable[[], Uint8]]]:
        for place, path in enumerate(self._recording.pictures):
            yield place, partial(self._read, path)

    def _read(self, path: Path) -> Uint8:
        still = _read_still(path)
        self._several += still.pages > 1
        self._halved += still.is_halved
        return still.bgr

    def _shown(self, read: Callable[[], Uint8]) -> Planes:
        try:
            picture = av.VideoFrame.from_ndarray(read(), "bgr24")
        except PictureError as error:
            raise SourceError(str(error), "truncated") from error
        ((planes, _),) = self._display.show(picture, None, None)
        return planes

    def _recorded_ns(self, seconds: Fraction) -> int | None:
        started_ns = self._recording.reading.started_ns
        return None if started_ns is None else started_ns + round(seconds * 1_000_000_000)

    def _last_state(self) -> StreamChanged:
        error, bad, total = self._first_error, self._counted.counts["corrupt_packets"], self._total
        notes = (
            [f"{bad} of {count(total, 'picture')} {'was' if bad == 1 else 'were'} left out; the first: {error}"]
            if error
            else []
        )
        if self._several:
            files = count(self._several, "file")
            notes.append(
                f"{files} of {self._recording.path} hold{'s' * (self._several == 1)} several pictures: the first was read"
            )
        if self._halved:
            pictures, are = count(self._halved, "picture"), "is" if self._halved == 1 else "are"
            notes.append(f"{pictures} of {self._recording.path} {are} so large that half of the width and height was read")
        if error is None or bad < total:
            return self._state("ended", "end_of_file", "; ".join(notes))
        detail = str(error) if total == 1 else f"{self._recording.path}: none of its {total} pictures; the first: {error}"
        return self._state("failed", error.reason, detail)

    def _state(self, state: StreamState, reason: str = "", detail: str = "") -> StreamChanged:
        return StreamChanged(
            stream=self._recording.name,
            state=state,
            reason=cast(Reason, reason),
            detail=readable(detail),
            width_px=self._size_px[0],
            height_px=self._size_px[1],
            counters=self.counters,
            frame_rate=self._recording.fps,
            frames_expected=self._total,
            started_ns=self._recording.reading.started_ns,
            clock=self._recording.reading.clock,
        )


def _read_still(path: Path) -> Still:
    """Return a picture, upright as a viewer shows it.

    Raises:
        SourceError: it does not exist, may not be read, is not a picture, or is truncated.
    """
    try:
        return read_still(path)
    except (PictureError, MissingRuntimeError) as error:
        reason = "not_found" if not path.exists() else "not_a_video" if os.access(path, os.R_OK) else "permission"
        raise SourceError(str(error), reason) from error
