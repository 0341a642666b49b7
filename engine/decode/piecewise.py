"""A transport stream whose video changes: one decoder for each piece, read as one recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import msgspec

from engine.contracts.frames import Frame, FrameTime
from engine.contracts.streams import StreamChanged
from engine.decode.container import MAX_GAP_SECONDS
from engine.decode.decoder import Decoder
from engine.decode.recording_reader import Items, RecordingReader
from engine.decode.transport_stream import Piece

_USUAL_FRAME_SECONDS = 0.04


class PiecewiseReader(RecordingReader):
    """Reads one piece after the other. The contract of ``Decoder`` applies to all of them together: frames are numbered
    through, and time continues by the time stamps, or with the next frame if they restart. A ``discontinuity``
    (``codec_change``) separates two pieces; remarks on a piece that is not the last are given at the end.

    Args:
        pieces: of the file, see ``pieces_of``.
        decoder_of: makes the decoder of a piece.
    """

    def __init__(self, pieces: Sequence[Piece], decoder_of: Callable[[Piece], Decoder]) -> None:
        super().__init__()
        self._pieces, self._decoder_of = pieces, decoder_of
        self._part: Decoder | None = None
        self._done: Counter[str] = Counter()
        """Counters of the previous pieces."""
        self._last: FrameTime | None = None
        """Time of the newest frame, with its piece's own time stamp."""
        self._later_seconds = 0.0
        """Offset that is added to times of the current piece."""
        self._frame_seconds = _USUAL_FRAME_SECONDS
        self._joins = False

    @property
    def counters(self) -> dict[str, int]:
        now = {} if self._part is None else self._part.counters
        return {name: self._done[name] + now.get(name, 0) for name in {**self._done, **now}}

    def _run(self) -> Items:
        notes: list[str] = []
        for number, piece in enumerate(self._pieces):
            is_first, is_last = number == 0, number == len(self._pieces) - 1
            self._joins = self._last is not None
            with self._decoder_of(piece) as self._part:
                for item in self._part:
                    if isinstance(item, Frame):
                        yield self._moved(item)
                    elif item.is_last:
                        notes += filter(None, [item.detail])
                        if is_last:
                            yield self._said(msgspec.structs.replace(item, detail="; ".join(notes)))
                    elif item.state == "live" and self._joins:
                        yield self._said(msgspec.structs.replace(item, state="discontinuity", reason="codec_change"))
                    elif is_first or item.state != "connecting":
                        self._frame_seconds = 1 / item.frame_rate if item.frame_rate else _USUAL_FRAME_SECONDS
                        yield self._said(item)
                self._done.update(self._part.counters)
                self._part = None

    def _said(self, state: StreamChanged) -> StreamChanged:
        return msgspec.structs.replace(state, counters=self.counters, frames_expected=0)

    def _moved(self, frame: Frame) -> Frame:
        when, last = frame.time, self._last
        if self._joins and last is not None:
            step = _stamp_seconds(when) - _stamp_seconds(last) if None not in (when.pts, last.pts) else 0.0
            follows = last.pts_seconds + (step if 0.0 < step <= MAX_GAP_SECONDS else self._frame_seconds)
            self._later_seconds, self._joins = follows - when.pts_seconds, False
        recorded_ns = None if when.recorded_ns is None else when.recorded_ns + round(self._later_seconds * 1e9)
        self._last = msgspec.structs.replace(
            when,
            frame_index=self._done["frames"] + when.frame_index,
            pts_seconds=when.pts_seconds + self._later_seconds,
            recorded_ns=recorded_ns,
        )
        return replace(frame, time=self._last)


def _stamp_seconds(when: FrameTime) -> float:
    return cast(int, when.pts) * when.time_base[0] / when.time_base[1]
