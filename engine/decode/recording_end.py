"""How the reading of a recording ended, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.decode.container import encrypted, is_cut
from engine.decode.counted import Counted
from engine.decode.encryption import encryption_of_file
from engine.decode.not_read import goes_on, not_read
from engine.decode.strictness import silence_of
from engine.errors import SourceError
from engine.words.numbers import count

_ANNOUNCE_DURATION = {"matroska,webm", "flv"}
"""Containers whose header holds the duration while FFmpeg does not say that a file breaks off."""
_MISSING_SHARE = 0.1


def announces_duration(container: InputContainer) -> bool:
    """Whether only the duration in a container's header shows that its end is missing."""
    return container.format.name in _ANNOUNCE_DURATION


@dataclass(frozen=True)
class RecordingEnd:
    """What was read of a recording.

    Args:
        path: the file.
        container: still open.
        stream: that was read.
        counted: as ``Decoder`` counts.
        cut: where it breaks off, empty if it does not seem to.
        read_to_seconds: the last time stamp, where the container announces its duration.
        read_to_byte: where in the file the last payload ends.
        refusal: why the first picture that could not be used was not, empty if there was none.
    """

    path: Path
    container: InputContainer
    stream: VideoStream
    counted: Counted
    cut: str
    read_to_seconds: float
    read_to_byte: int
    refusal: str

    def check(self) -> None:
        """Return if it was read to its end.

        Raises:
            SourceError: it was not, with the reason ``truncated``, ``codec`` or ``encrypted``.
        """
        path, frames = self.path, self.counted.counts["frames"]
        cut = self.cut or ("before the end that its index gives" if is_cut(self.container, self.stream) else "")
        if cut and not self._goes_on():
            raise SourceError(f"{path} breaks off {cut}; frames before that: {frames}", "truncated")
        if frames == 0:
            raise self._nothing_decoded()
        check_pictures(path, self.counted.named())

    def _nothing_decoded(self) -> SourceError:
        codec, early = self.stream.codec_context.name, self.counted.drops["no_key_frame"]
        packets = self.counted.counts["packets"]
        if early:
            return SourceError(
                f"{self.path}: none of its {count(early, f'{codec} picture')} is a key frame to begin with", "codec"
            )
        if kind := encryption_of_file(self.path):
            return encrypted(self.path, kind)
        if packets == 0:
            return SourceError(f"{self.path} ends before its first picture", "truncated")
        why = f" ({self.refusal})" if self.refusal else ""
        return SourceError(f"{self.path}: no picture could be decoded from its {packets} {codec} packets{why}", "codec")

    def _goes_on(self) -> bool:
        """Whether what seems broken off is where another recording was joined."""
        try:
            return goes_on(self.path, self.container.format.name, self.read_to_byte)
        except OSError:
            return False

    @property
    def _looks_damaged(self) -> bool:
        return bool(self.counted.counts["corrupt_packets"] or self.counted.counts["corrupt_frames"])

    def missing_time(self) -> Iterator[str]:
        """Yield what a user should know of the end of a recording that was read to it."""
        yield from not_read(self.path, self.container, self.read_to_byte, looks_damaged=self._looks_damaged)
        if self._looks_damaged and (silence := silence_of(self.path, self.stream.codec_context.name)):
            yield silence
        if not announces_duration(self.container) or not self.container.duration:
            return
        start = (self.container.start_time or 0) / av.time_base
        announced = self.container.duration / av.time_base
        read = self.read_to_seconds
        if announced - read > max(1.0, _MISSING_SHARE * (announced - start)):
            yield (
                f"{self.path} ends at {read - start:.1f} s where its header announces {announced - start:.1f} s: "
                "it may be cut off or damaged"
            )


def check_pictures(path: Path | str, counters: Mapping[str, int]) -> None:
    """Return if a recording shows anything.

    Args:
        path: of the recording.
        counters: of its decoder, over all of it.

    Raises:
        SourceError: every picture is damaged, with the reason ``codec``.
    """
    if (frames := counters["frames"]) == counters["corrupt_frames"]:
        all_of_it = "its only picture" if frames == 1 else f"every one of its {frames} pictures"
        raise SourceError(f"{path}: {all_of_it} is damaged", "codec")


def notes_of(path: Path | str, counters: Mapping[str, int]) -> Iterator[str]:
    """Yield what a user should know of the pictures of a recording that was read to its end; args as of ``check_pictures``."""
    if early := counters.get("drops.no_key_frame", 0):
        were = "was" if early == 1 else "were"
        first = count(early, "picture").removeprefix("1 ")
        yield f"{path} begins between key frames: its first {first}, which cannot be decoded, {were} left out"
    if refused := counters["corrupt_packets"]:
        yield f"{refused} of the {count(counters['packets'], 'packet')} of {path} could not be decoded"
    if corrupt := counters["corrupt_frames"]:
        are = "is" if corrupt == 1 else "are"
        yield f"{corrupt} of the {count(counters['frames'], 'picture')} of {path} {are} damaged"
