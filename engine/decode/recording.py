"""Chooses the reader of a recording: for a video, a series of pictures, or an animation."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from engine.config import DecodeConfig
from engine.contracts.recording import Recording, Start
from engine.decode.animation import animation_of
from engine.decode.decoder import Decoder
from engine.decode.piecewise import PiecewiseReader
from engine.decode.recording_reader import RecordingReader
from engine.decode.series import SeriesDecoder
from engine.decode.still_kind import LOOKED_AT_BYTES, Kind, kind_of
from engine.decode.transport_stream import pieces_of


def reader_of(
    recording: Recording,
    config: DecodeConfig,
    detect_every: int = 1,
    seek_ticks: int | None = None,
    start: Start | None = None,
) -> RecordingReader:
    """Return a reader of a recording.

    Args:
        recording: of any kind.
        config: how to decode a video.
        detect_every: every n-th frame is marked for detection.
        seek_ticks: for a video, see ``Decoder``.
        start: likewise.
    """
    is_series = bool(recording.pictures)
    if len(recording.files) == 1:
        # The content decides what a single file is: names may mislead, and many pictures are short films.
        kind = kind_of(_head(recording.path))
        is_series = is_series and kind is not Kind.VIDEO
        if (is_series or kind is Kind.WEBP) and (animation := animation_of(recording.files[0])):
            return SeriesDecoder(recording, detect_every, animation)
    if is_series:
        return SeriesDecoder(recording, detect_every)
    decoder = partial(Decoder, recording.name, recording.path, config, detect_every, recording.reading, seek_ticks, start)
    is_whole = seek_ticks is None and start is None and recording.reading.video_stream is None
    if is_whole and (pieces := pieces_of(recording.path)):
        return PiecewiseReader(pieces, decoder)
    return decoder()


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LOOKED_AT_BYTES)
    except (OSError, ValueError):
        return b""  # the reader will report it
