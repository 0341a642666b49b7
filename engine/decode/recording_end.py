"""How the reading of a recording ended, in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.decode.announced import announced_bytes
from engine.decode.container import is_cut
from engine.decode.counted import Counted
from engine.decode.edit_list import left_out_by_edits, shown_pictures
from engine.decode.encryption import encryption_of_file
from engine.decode.fragments import ends_within_fragment
from engine.decode.gaps import Gaps, Missing
from engine.decode.last_bytes import ends_within_packet
from engine.decode.late_start import late_start
from engine.decode.not_read import goes_on, not_read
from engine.decode.rates import nominal_rate
from engine.decode.recording_errors import encrypted
from engine.decode.strictness import silence_of
from engine.errors import SourceError
from engine.words.numbers import count

_ANNOUNCE = {"matroska,webm", "flv", "avi", "asf", "mxf", "gxf", "ivf", "swf"}
"""Containers whose header gives duration or size, while FFmpeg does not report truncation, or what damage hides."""
_MISSING_SHARE = 0.1
_GROWS = "it was still being written while it was read, so read it again when it is finished"


class Extent:
    """How far a recording was read: call ``begin``, then ``note`` for each packet."""

    def __init__(self, path: Path, *, is_piece: bool = False) -> None:
        self._path, self._was_bytes = path, _size_of(path)
        self._marks_cut = False
        self.is_piece = is_piece
        """Whether other readers read what follows."""
        self.cut = ""
        """Where it is truncated; empty if it does not seem to be."""
        self.to_seconds = 0.0
        """The last time stamp."""
        self.to_byte = 0
        """Position in the file at which the last payload ends."""
        self.has_key = False
        """Whether any of its packets can be decoded on its own."""
        self.tells_damage = False
        """Whether its decoder refuses damaged packets."""
        self.refusal = ""
        """Why the first unusable picture could not be used; empty if there was none."""

        self.listed_to_byte = 0
        """Where the last picture in an AVI's index ends; the header also counts pictures that only repeat the one before. 0:
        there is no index.
        """
        self.gaps: Gaps | None = None

    def begin(self, container: InputContainer, stream: VideoStream) -> None:
        """Start with an opened recording, before its first packet."""
        # A partly read packet is marked as corrupt, but in a transport stream the mark means a loss somewhere before.
        self._marks_cut = container.format.name != "mpegts"
        last = stream.index_entries[-1] if container.format.name == "avi" and len(stream.index_entries) else None
        self.listed_to_byte = last.pos + last.size if last else 0
        self.gaps = Gaps(container, stream)

    def note(self, packet: av.Packet[Any]) -> None:
        """Note a packet of any stream."""
        self.cut = "in the middle of a packet" if self._marks_cut and packet.is_corrupt else ""
        if (stamp := packet.dts if packet.pts is None else packet.pts) is not None:
            self.to_seconds = max(self.to_seconds, float((stamp + (packet.duration or 0)) * packet.time_base))
        if not self.cut:
            self.to_byte = max(self.to_byte, (packet.pos or 0) + packet.size)
        if self.gaps:
            self.gaps.note(packet)

    @property
    def has_grown(self) -> bool:
        """Whether the file has grown meanwhile."""
        return _size_of(self._path) > self._was_bytes


@dataclass(frozen=True)
class RecordingEnd:
    """How the reading of a recording ended.

    Args:
        path: the file.
        container: still open.
        stream: the one that was read.
        counted: counters of the ``Decoder``.
        extent: how far it was read.
    """

    path: Path
    container: InputContainer
    stream: VideoStream
    counted: Counted
    extent: Extent

    def check(self) -> None:
        """Check that it was read to its end.

        Raises:
            SourceError: it was not; the reason is ``truncated``, ``codec`` or ``encrypted``.
        """
        path, frames = self.path, self.counted.counts["frames"]
        cut = self.extent.cut or ("before the end that its index gives" if is_cut(self.container, self.stream) else "")
        if not cut and self.container.format.name.startswith("mov,mp4") and ends_within_fragment(path):
            cut = "in the middle of a fragment"
        if cut and not self._goes_on():
            grows = f"; {_GROWS}" if self.extent.has_grown else ""
            raise SourceError(f"{path} breaks off {cut}; frames before that: {frames}{grows}", "truncated")
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
        hidden = left_out_by_edits(self.path, self.container, self.stream)
        if hidden and not shown_pictures(self.container, self.stream):
            return SourceError(hidden, "no_video")
        if late := self._late_start():
            return SourceError(late, "not_a_video")
        if packets == 0:
            return SourceError(f"{self.path} ends before its first picture", "truncated")
        cause = self.extent.refusal or ("" if self.extent.has_key else "none is a key frame, with which a clip must begin")
        why = f" ({cause})" if cause else ""
        return SourceError(f"{self.path}: no picture could be decoded from its {packets} {codec} packets{why}", "codec")

    def _late_start(self) -> str:
        """See ``late_start``; in a transport stream FFmpeg has found the first packet itself."""
        return "" if self.container.format.name == "mpegts" else late_start(self.path)

    def _ends_within_packet(self) -> bool:
        try:
            return ends_within_packet(self.path, self.container.format.name, self.extent.to_byte)
        except OSError:
            return False

    def _goes_on(self) -> bool:
        """Whether the apparent truncation is the beginning of an appended recording."""
        try:
            return goes_on(self.path, self.container.format.name, self.extent.to_byte)
        except OSError:
            return False

    @property
    def _looks_damaged(self) -> bool:
        return looks_damaged(self.counted.named())

    def missing_time(self, *, damaged_before: bool = False) -> Iterator[str]:
        """Yield sentences on what a user should know about the end of a recording that was read to its end.

        Args:
            damaged_before: whether the recording is damaged before the part that was read.
        """
        is_damaged = damaged_before or self._looks_damaged
        if self.extent.has_grown:
            yield f"{self.path} was read up to where it ended then: {_GROWS}"
        if hidden := left_out_by_edits(self.path, self.container, self.stream):
            yield hidden
        codec = self.stream.codec_context.name
        if is_damaged and (late := self._late_start()):
            yield late
        if not self.extent.is_piece:  # earlier damage must not start a search far through the file
            yield from not_read(self.path, self.container, self.extent.to_byte, codec, looks_damaged=self._looks_damaged)
        if is_damaged and not self.extent.tells_damage and (silence := silence_of(self.path, codec)):
            yield silence
        if missing := self._missing_end():
            yield f"{self.path} {missing}: it may be cut off or damaged"

    def _missing_end(self) -> str:
        """Return the end of a sentence on what the header announces but is missing; empty if nothing is missing."""
        if self.extent.has_grown:
            return ""
        if less := self._less_than_announced():
            return less
        if not self.extent.is_piece and not self._goes_on() and self._ends_within_packet():
            return "ends in the middle of a packet"
        return ""

    def _less_than_announced(self) -> str:
        is_whole = 0 < self.extent.listed_to_byte <= self.extent.to_byte
        if self.container.format.name not in _ANNOUNCE or is_whole:
            return ""
        start = (self.container.start_time or 0) / av.time_base
        read = self.extent.to_seconds or start + float(self.counted.counts["frames"] / nominal_rate(self.stream))
        announced = (self.container.duration or 0) / av.time_base
        if announced - read > max(1.0, _MISSING_SHARE * (announced - start)):
            return f"ends at {read - start:.1f} s where its header announces {announced - start:.1f} s"
        size = _size_of(self.path)
        if (announced_size := announced_bytes(self.path)) > size:
            return f"has {size:,} bytes where its header announces {announced_size:,}"
        return ""


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def check_pictures(path: Path | str, counters: Mapping[str, int]) -> None:
    """Check that a recording shows anything.

    Args:
        path: of the recording.
        counters: of its decoder, over the whole recording.

    Raises:
        SourceError: every picture is damaged; the reason is ``codec``.
    """
    if (frames := counters["frames"]) == counters["corrupt_frames"]:
        all_of_it = "its only picture" if frames == 1 else f"every one of its {frames} pictures"
        raise SourceError(f"{path}: {all_of_it} is damaged", "codec")


def looks_damaged(counters: Mapping[str, int]) -> bool:
    """Whether some of a recording could not be decoded, or only in part."""
    return bool(counters["corrupt_packets"] or counters["corrupt_frames"])


def notes_of(path: Path | str, counters: Mapping[str, int], missing: Missing) -> Iterator[str]:
    """Yield sentences on what a user should know about the pictures of a recording that was read to its end.

    Args:
        path: as for ``check_pictures``.
        counters: likewise.
        missing: gaps in the whole recording.
    """
    if gaps := missing.told(looks_damaged=looks_damaged(counters)):
        yield f"{path} {gaps}"
    if early := counters.get("drops.no_key_frame", 0):
        were = "was" if early == 1 else "were"
        first = count(early, "picture").removeprefix("1 ")
        yield f"{path} begins between key frames: its first {first}, which cannot be decoded, {were} left out"
    if refused := counters["corrupt_packets"]:
        yield f"{refused} of the {count(counters['packets'], 'packet')} of {path} could not be decoded"
    if corrupt := counters["corrupt_frames"]:
        are = "is" if corrupt == 1 else "are"
        yield f"{corrupt} of the {count(counters['frames'], 'picture')} of {path} {are} damaged"
