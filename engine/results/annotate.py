"""A recording with what a run found in it drawn into its pictures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from engine.client.results import Run
from engine.config import DecodeConfig
from engine.contracts.recording import Recording
from engine.contracts.streams import StreamChanged
from engine.decode.recording import reader_of
from engine.errors import PublishError, SourceError
from engine.footage.encoders import Encoder, best_encoder
from engine.footage.video import Sound, VideoFile
from engine.results.annotation import Annotator
from engine.results.cast import Cast
from engine.whole_file import replacing

_COMMENT = "with AI-enhanced faces by facestream; not for identification"
_USUAL_RATE = Fraction(25)


@dataclass(frozen=True)
class Annotated:
    """What was written."""

    path: Path
    tracks: int
    pictures: int
    encoder: str
    trouble: str = ""
    """Why the recording broke off, where it did."""


def annotate(
    run: Run,
    recording: Recording,
    out: Path,
    tell: Callable[[float], None] = lambda share: None,
    encoder: Encoder | None = None,
    *,
    overwrite: bool = True,
) -> Annotated:
    """Write a recording as a player shows it, with boxes, names, enhanced faces and the clock, and its sound as it is.

    Between the faces that the run wrote boxes move evenly, and to where the faces are found again. Memory does not grow with
    the recording's length, but for the places of the faces that were written.

    Args:
        run: in which it was read, under the recording's name.
        recording: as ``recording_of`` finds it.
        out: the video; it is there when it is whole.
        tell: is told how much of it is done, 0 to 1, as far as that is known.
        encoder: of the pictures; None: the best that works here.
        overwrite: it may take the place of another file.

    Raises:
        SourceError: the recording cannot be read.
        PublishError: the video cannot be written, or a file of the run cannot be read.
    """
    cast = Cast(run, recording.name)
    try:
        with replacing(out, new=not overwrite) as beside:
            return _write(Annotator(run, cast), recording, out, beside, tell, encoder or best_encoder(), len(cast))
    except (av.error.FFmpegError, OSError) as error:
        raise PublishError(f"cannot write {out}: {error.strerror}") from error


def _write(
    annotator: Annotator,
    recording: Recording,
    out: Path,
    beside: Path,
    tell: Callable[[float], None],
    encoder: Encoder,
    tracks: int,
) -> Annotated:
    expected = pictures = 0
    rate, trouble = _USUAL_RATE, ""
    with ExitStack() as closing:
        reader = closing.enter_context(reader_of(recording, DecodeConfig()))
        video: VideoFile | None = None
        for item in reader:
            if isinstance(item, StreamChanged):
                expected, trouble = item.frames_expected or expected, item.detail if item.state == "failed" else trouble
                rate = Fraction(item.frame_rate).limit_denominator(1001) if item.frame_rate else rate
                continue
            if video is None:
                sound = None if recording.pictures else Sound(recording.path)
                video = closing.enter_context(VideoFile(beside, encoder, rate, sound, _COMMENT))
            video.write(annotator.draw(item.planes, item.time), item.time.pts_seconds)
            pictures += 1
            tell(min(1.0, pictures / expected) if expected else 0.0)
        if not pictures:
            raise SourceError(trouble or f"{recording.path} has no pictures", "not_a_video")
    return Annotated(out, tracks, pictures, encoder.codec, trouble)
