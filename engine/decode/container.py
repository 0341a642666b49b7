"""Opening a recording, and saying in one sentence what is wrong with it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.contracts.messages import Reason
from engine.errors import SourceError

_TEXT_DEMUXERS = {"tty"}
"""FFmpeg draws any .txt or .nfo file as a picture of a terminal."""
FALLBACK_TIME_BASE = Fraction(1, 90_000)
_HIGHEST_RATE = 1000
"""A higher one is a time base that was taken for a rate."""
_INDEXED = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi"}


def open_recording(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a file and choose its video stream; the caller closes the container.

    Raises:
        SourceError: with the reason ``not_found``, ``permission``, ``not_a_video``, ``no_video`` or ``codec``.
    """
    try:
        # "file:" keeps FFmpeg from taking "cam:1.mkv" for a protocol, the whitelist keeps a playlist from reaching out.
        container = av.open(f"file:{path}", metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _explain_open(path, error) from error
    try:
        return container, _video_stream_of(path, container)
    except SourceError:
        container.close()
        raise


def is_cut(container: InputContainer, stream: VideoStream) -> bool:
    """Tell whether the container's index points behind the end of the file, where it has an index of file positions."""
    entries = stream.index_entries
    if container.format.name not in _INDEXED or len(entries) == 0:
        return False
    last = entries[-1]
    return bool(last.pos + last.size > container.size)


def nominal_rate(stream: VideoStream) -> Fraction:
    """Return the stream's frames per second as its header or its first frames give them, 25 where neither does."""
    return _believable(stream.average_rate, stream.guessed_rate) or Fraction(25)


def announced_rate(stream: VideoStream) -> Fraction | None:
    """Return the frames per second that a stream's header tells, None where it does not; nothing is guessed from its ticks."""
    return _believable(stream.average_rate, stream.codec_context.framerate)


def _believable(*rates: Fraction | None) -> Fraction | None:
    return next((rate for rate in rates if rate and rate <= _HIGHEST_RATE), None)


def expected_frames(container: InputContainer, stream: VideoStream) -> int:
    """Return about how many frames the stream has, 0 where the file does not tell."""
    if stream.frames and container.format.name != "matroska,webm":  # there it comes from a tag, which may be a leftover
        return stream.frames
    if stream.duration and stream.time_base:
        seconds = stream.duration * stream.time_base
    elif container.duration:
        seconds = Fraction(container.duration, av.time_base)
    else:
        return 0
    return max(0, round(seconds * nominal_rate(stream)))


def _video_stream_of(path: Path, container: InputContainer) -> VideoStream:
    if container.format.name in _TEXT_DEMUXERS or not container.streams:
        raise SourceError(f"{path} is not a video", "not_a_video")
    # Cover art of music files is a video stream too.
    streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
    if not streams:
        kinds = sorted({stream.type or "unknown" for stream in container.streams})
        raise SourceError(f"{path} has no video stream, only {' and '.join(kinds)}", "no_video")
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise SourceError(f"{path}: FFmpeg has no decoder for its video stream", "codec")
    return stream


def _explain_open(path: Path, error: Exception) -> SourceError:
    reason: Reason = "not_a_video"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SourceError(f"{path} does not exist", "not_found")
    if isinstance(error, PermissionError):
        return SourceError(f"{path} may not be read: permission denied", "permission")
    if path.is_dir():
        return SourceError(f"{path} is a directory, not a video", reason)
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except (OSError, ValueError) as problem:
        return SourceError(f"{path} cannot be read: {problem}", reason)
    if not start:
        return SourceError(f"{path} is empty", reason)
    if start[4:8] == b"ftyp":
        return SourceError(
            f"{path} begins as an MP4 but its index (moov) is missing or broken: the recording was cut off or never closed; "
            "a repair tool such as untrunc may recover it",
            reason,
        )
    return SourceError(f"{path} is not a video that FFmpeg can read", reason)
