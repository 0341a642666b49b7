"""The reader that a recording needs: of a video, or of a series of pictures."""

from __future__ import annotations

from engine.config import DecodeConfig
from engine.contracts.recording import Recording, Start
from engine.decode.decoder import Decoder
from engine.decode.recording_reader import RecordingReader
from engine.decode.series import SeriesDecoder


def reader_of(
    recording: Recording,
    config: DecodeConfig,
    detect_every: int = 1,
    seek_ticks: int | None = None,
    start: Start | None = None,
) -> RecordingReader:
    """Return a reader of it.

    Args:
        recording: of any kind.
        config: how to decode a video.
        detect_every: every n-th frame is marked for detection.
        seek_ticks: of a video, see ``Decoder``.
        start: likewise.
    """
    if recording.pictures:
        return SeriesDecoder(recording, detect_every)
    return Decoder(recording.name, recording.path, config, detect_every, recording.reading, seek_ticks, start)
