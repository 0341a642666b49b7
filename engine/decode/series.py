"""A series of pictures, read like a recording: frames as a viewer shows them and the states of its stream."""

from __future__ import annotations

import os
import time
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from msgspec.structs import replace

from engine.contracts.frames import Frame, FrameTime, Planes, Uint8
from engine.contracts.messages import Reason, StreamState
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.decode.display import Display
from engine.decode.recording_reader import Items, RecordingReader
from engine.decode.still import read_still
from engine.errors import MissingRuntimeError, PictureError, SourceError

_FINEST_RATE = 100_000


class SeriesDecoder(RecordingReader):
    """Read the pictures of one recording, in the way of ``Decoder``. Iterate once; not thread-safe.

    Iterating gives the same items as ``Decoder``. A picture that cannot be read is counted (``corrupt_packets``) and left
    out; time goes on all the same, and a frame's index is its picture's place in the series, from 0. Where no picture can be
    read the last state is ``failed``. Bad input never raises.

    Args:
        recording: with its ``pictures``.
        detect_every: every n-th frame, from the start and from each change of size, is marked for detection.
    """

    def __init__(self, recording: Recording, detect_every: int = 1) -> None:
        super().__init__()
        self._recording, self._detect_every = recording, detect_every
        self._size_px = (0, 0)
        self._since_change = 0
        self._first_error: SourceError | None = None
        # Pictures of a series are not interlaced: fields are a matter of video.
        self._display: Display[None] = Display(replace(recording.reading.appearance, deinterlace="off"))

    def _run(self) -> Items:
        yield self._state("connecting")
        rate = Fraction(self._recording.fps).limit_denominator(_FINEST_RATE)
        time_base = (rate.denominator, rate.numerator)
        for place, path in enumerate(self._recording.pictures):
            captured_ns = time.time_ns()
            self._counted.counts["packets"] += 1
            try:
                planes = self._shown(path)
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
            when = FrameTime(
                place, place, time_base, float(place / rate), captured_ns, recorded_ns=self._recorded_ns(place / rate)
            )
            yield Frame(self._recording.name, when, planes, detect)
        yield self._last_state()

    def _shown(self, path: Path) -> Planes:
        picture = av.VideoFrame.from_ndarray(read_picture(path), "bgr24")
        ((planes, _),) = self._display.show(picture, None, None)
        return planes

    def _recorded_ns(self, seconds: Fraction) -> int | None:
        started_ns = self._recording.reading.started_ns
        return None if started_ns is None else started_ns + round(seconds * 1_000_000_000)

    def _last_state(self) -> StreamChanged:
        error, bad, total = self._first_error, self._counted.counts["corrupt_packets"], len(self._recording.pictures)
        if error is None:
            return self._state("ended", "end_of_file")
        if bad < total:
            return self._state("ended", "end_of_file", f"{bad} of {total} pictures were left out; the first: {error}")
        detail = str(error) if total == 1 else f"{self._recording.path}: none of its {total} pictures; the first: {error}"
        return self._state("failed", error.reason, detail)

    def _state(self, state: StreamState, reason: str = "", detail: str = "") -> StreamChanged:
        return StreamChanged(
            stream=self._recording.name,
            state=state,
            reason=cast(Reason, reason),
            detail=detail.encode(errors="replace").decode(),  # a file name need not be UTF-8, a message must
            width_px=self._size_px[0],
            height_px=self._size_px[1],
            counters=self.counters,
            frame_rate=self._recording.fps,
            frames_expected=len(self._recording.pictures),
            started_ns=self._recording.reading.started_ns,
            clock=self._recording.reading.clock,
        )


def read_picture(path: Path) -> Uint8:
    """Return a picture as (height, width, 3) BGR, upright as a viewer shows it.

    Raises:
        SourceError: it is not there, may not be read, is no picture, or breaks off.
    """
    try:
        return read_still(path).bgr
    except (PictureError, MissingRuntimeError) as error:
        reason = "not_found" if not path.exists() else "not_a_video" if os.access(path, os.R_OK) else "permission"
        raise SourceError(str(error), reason) from error
