"""A moment of a recording as a video of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from engine.config import DecodeConfig
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.decode.container import open_recording, origin_seconds
from engine.decode.rates import nominal_rate
from engine.decode.recording import reader_of
from engine.decode.transport_stream import pieces_of
from engine.errors import PublishError, SourceError
from engine.footage.copying import CannotCopy, copy_part, sound_of
from engine.footage.encoders import Encoder, best_encoder
from engine.footage.positions import key_frame_before, ticks_of
from engine.footage.video import Sound, VideoFile
from engine.whole_file import replacing

_HOLDS = {
    ".mp4": ({"h264", "hevc", "av1", "vp9", "mpeg4"}, {"aac", "mp3", "ac3", "opus", "alac"}),
    ".webm": ({"vp8", "vp9", "av1"}, {"opus", "vorbis"}),
    ".mov": ({"h264", "hevc", "mpeg4"}, {"pcm_alaw", "pcm_mulaw", "aac"}),
}
_NEVER_COPIED = {"gif"}
"""No file that holds a video besides its own kind can hold these."""
_SAME_SECONDS = 0.005
_ROUNDING_SECONDS = 0.0005
"""The times of a moment are sums of fractions."""


@dataclass(frozen=True)
class Moment:
    """From when to when, in seconds from the recording's beginning as a player shows it."""

    begin: float
    end: float
    stamps: tuple[tuple[float, float], ...] = ()
    """Of some pictures of it their time stamp in the file, in seconds, and their time: where these do not go together, the
    recording's stamps jump, and cannot be looked up in the file."""


@dataclass(frozen=True)
class Clip:
    """What was written."""

    path: Path
    begins_seconds: float
    """Where in the recording."""
    ends_seconds: float
    encoder: str
    """What encoded its pictures; empty: they are the recording's own."""
    why_encoded: str = ""
    """Why they are not."""


def suffix_for(recording: Recording, *, exact: bool = False) -> str:
    """Return with what the name of a clip best ends: what browsers play, else what can hold its pictures and sound.

    Args:
        recording: what is cut.
        exact: its pictures are encoded anew.

    Raises:
        SourceError: the recording cannot be opened.
    """
    if recording.pictures:
        return ".mp4"
    container, video = open_recording(recording.path, recording.reading.video_stream)
    with container:
        pictures = video.codec_context.name
        pictures = "h264" if exact or pictures in _NEVER_COPIED else pictures
        sound = {one.codec_context.name for one in sound_of(container)}
    kinds = (suffix for suffix, (videos, sounds) in _HOLDS.items() if pictures in videos and sound <= sounds)
    return next(kinds, ".mkv")


def cut_clip(
    recording: Recording,
    moment: Moment,
    out: Path,
    *,
    exact: bool = False,
    overwrite: bool = True,
    tell: Callable[[float], None] = lambda share: None,
) -> Clip:
    """Write a moment: its packets as they are, from the key frame before it, or else encoded again, from its first picture.

    Args:
        recording: of a finished run.
        moment: what of it.
        out: the file; it is there when the clip is whole.
        exact: encode it in any case.
        overwrite: it may take the place of another one.
        tell: is told how much of it is done, 0 to 1.

    Raises:
        SourceError: the recording cannot be read, or has no picture there.
        PublishError: the file cannot be written.
    """
    try:
        with replacing(out, new=not overwrite) as beside:
            return _cut(recording, moment, out, beside, exact, tell)
    except (av.error.FFmpegError, OSError) as error:
        raise PublishError(f"cannot write {out}: {error.strerror}") from error


def _cut(recording: Recording, moment: Moment, out: Path, beside: Path, exact: bool, tell: Callable[[float], None]) -> Clip:
    length = max(moment.end - moment.begin, 1e-3)
    why = "it is a series of pictures" if recording.pictures else "as asked" if exact else ""
    why = why or ("" if _is_plain(recording, moment) else "its time stamps jump")
    if not why:
        try:
            copied = copy_part(
                recording.path, beside, moment.begin, moment.end, recording.reading.video_stream,
                lambda seconds: tell(min(1.0, seconds / length)),
            )  # fmt: skip
            return Clip(out, copied.begins_seconds, copied.ends_seconds, "")
        except CannotCopy as error:
            why = str(error)
    encoder = best_encoder()
    begins, ends = _encode(recording, moment, beside, encoder, lambda seconds: tell(min(1.0, max(0.0, seconds / length))))
    return Clip(out, begins, ends, encoder.codec, why)


def _is_plain(recording: Recording, moment: Moment) -> bool:
    container, _ = open_recording(recording.path, recording.reading.video_stream)
    with container:
        origin = origin_seconds(container)
    fits = all(abs(stamp - origin - seconds) < _SAME_SECONDS for stamp, seconds in moment.stamps)
    return fits and not pieces_of(recording.path)


def _encode(
    recording: Recording, moment: Moment, out: Path, encoder: Encoder, tell: Callable[[float], None]
) -> tuple[float, float]:
    """Write the pictures of a moment and the sound that goes with them; return when the first and the last one are shown."""
    shown = _from_near(recording, moment)
    begins = ends = None
    failed = ""
    near = shown.seek_ticks is not None
    sound = None if recording.pictures else Sound(recording.path, moment.begin, moment.end, seek=near)
    with (
        reader_of(shown.recording, DecodeConfig(), seek_ticks=shown.seek_ticks) as reader,
        VideoFile(out, encoder, shown.rate, sound) as video,
    ):
        for item in reader:
            if isinstance(item, StreamChanged):
                failed = item.detail if item.state == "failed" else ""
                continue
            seconds = item.time.pts_seconds + shown.later_seconds
            if seconds > moment.end + _ROUNDING_SECONDS:
                break
            if seconds >= moment.begin - _ROUNDING_SECONDS:
                begins, ends = (seconds if begins is None else begins), seconds
                video.write(item.planes, max(0.0, seconds - moment.begin))
                tell(seconds - moment.begin)
    if begins is None or ends is None:
        raise SourceError(
            failed or f"{recording.path} has no picture from {moment.begin:.1f} to {moment.end:.1f} s", "not_found"
        )
    return begins, ends


@dataclass(frozen=True)
class _Near:
    """How a recording is read from shortly before a moment on."""

    recording: Recording
    rate: Fraction
    seek_ticks: int | None = None
    later_seconds: float = 0.0
    """What is added to the time of what is read."""


def _from_near(recording: Recording, moment: Moment) -> _Near:
    if recording.pictures:
        rate = Fraction(recording.fps).limit_denominator(1000)
        first = max(0, int(moment.begin * rate))
        return _Near(replace(recording, pictures=recording.pictures[first:]), rate, None, float(first / rate))
    plain = _is_plain(recording, moment)
    container, video = open_recording(recording.path, recording.reading.video_stream)
    with container:
        near = plain and moment.begin > 0
        key = key_frame_before(container, video, ticks_of(container, video, moment.begin)) if near else None
        return _Near(recording, nominal_rate(video), None if key is None else key.seek_ticks)
