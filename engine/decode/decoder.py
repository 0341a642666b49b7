"""Decodes one recording to frames, as a player shows them, and to the states of its stream."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from engine.config import DecodeConfig
from engine.contracts.frames import Frame, FrameTime, Planes
from engine.contracts.messages import Reason, StreamState
from engine.contracts.recording import Reading, Start
from engine.contracts.streams import StreamChanged
from engine.decode.clock import StreamClock
from engine.decode.container import (
    chosen_stream,
    container_aspect,
    container_crop,
    creation_time,
    expected_frames,
    open_recording,
    recording_clock,
    seek_to_key,
)
from engine.decode.damage import Damage
from engine.decode.display import Display
from engine.decode.encryption import is_encrypted_packet
from engine.decode.gaps import Missing
from engine.decode.hevc_qp import HevcQp
from engine.decode.lead import Lead
from engine.decode.packet_decoder import PacketDecoder
from engine.decode.packets import packets_of
from engine.decode.pixel_shape import PixelShape, shown_fields
from engine.decode.rates import assumed_rate, nominal_rate
from engine.decode.recording_end import Extent, RecordingEnd, looks_damaged, notes_of
from engine.decode.recording_errors import encrypted
from engine.decode.recording_reader import Items, RecordingReader
from engine.decode.stamps import Stamps
from engine.decode.transport_stream import Piece
from engine.errors import SourceError
from engine.words.numbers import count
from engine.words.text import readable

# Log lines would call back into Python from FFmpeg's own threads, which is known to deadlock.
av.logging.set_level(None)

_HOPELESS_PICTURES = 25
"""After this many unusable pictures from the start, the rest is not read."""


@dataclass(frozen=True, slots=True)
class _Note:
    """What is known about a picture besides its pixels."""

    pts: int | None
    ticks: int | None
    """``pts``, or the decoding time if there is none."""
    captured_ns: int
    corrupt: bool
    damaged: bool


class Decoder(RecordingReader):
    """Reads one recording. Iterate once; not thread-safe, and it cannot be sent to another process.

    Iterating gives, in this order: a ``StreamChanged`` ``connecting``; ``live`` with the picture size; frames, with a
    ``discontinuity`` (``resolution_change`` or ``timestamp_jump``) before each frame that does not continue the one before;
    and, always, exactly one last ``ended`` (``end_of_file``) or ``failed`` with its reason, one sentence, and the counters:

    - ``frames``: decoded, without those that the decoder skipped;
    - ``packets``: read from the file;
    - ``corrupt_packets``: refused by the decoder;
    - ``corrupt_frames``: delivered with concealed errors; they and all up to the next key frame are marked as damaged;
    - ``drops.no_key_frame``: pictures before the first key frame, which show a grey smear.

    From ``live`` on the states contain the nominal frame rate and the expected number of frames, unless the decoder skips some.
    They also contain the wall-clock time of the beginning if the user, the file's name or its metadata gives it. The detail of
    ``ended`` says what a user should know: which of several video streams was read, or how much was left out.

    Bad input never raises. A recording that is encrypted, or whose pictures are all damaged, has failed. A truncated file gives
    all its frames first and then ``failed`` with ``truncated``, if its container shows it: MP4, MOV, AVI and FLV do (the last
    two not for a cut exactly between two packets); a truncated MKV, TS or GIF just ends. If the header of an MKV, AVI, WMV or
    FLV announced more, or a TS or GIF ends inside a packet, the detail of ``ended`` says so, and how much is missing.

    Planes are read-only views of the decoder's buffers where possible. They stay valid as long as they are referenced, but each
    one keeps a buffer of the decoder.

    Args:
        recording_name: the stream's name in frames and states.
        path: the file.
        config: threads and skipping; pacing is the caller's.
        detect_every: every n-th frame, from the start and from each discontinuity, is marked for detection.
        reading: the user's settings for this recording.
        seek_ticks: start at the key frame at or before this time stamp of the video, and count frames from there. None: from
            the beginning.
        start: start in the middle, but number, time and mark the frames as if read from the beginning; None: at the beginning.
        piece: of a transport stream; None: all of the file.
    """

    def __init__(
        self,
        recording_name: str,
        path: Path,
        config: DecodeConfig,
        detect_every: int = 1,
        reading: Reading | None = None,
        seek_ticks: int | None = None,
        start: Start | None = None,
        piece: Piece | None = None,
    ) -> None:
        super().__init__()
        self._name, self._path, self._config, self._detect_every = recording_name, path, config, detect_every
        self._seek_ticks, self._start = start.seek_ticks if start else seek_ticks, start
        self._lead, self._first_frame = Lead(start, path), start.frame_index if start else 0
        self._reading = reading = reading or Reading()
        self._open = partial(open_recording, path, reading.video_stream, piece)
        self._display: Display[_Note] = Display()
        self._counted.drops["no_key_frame"] = 0
        self._started_ns, self._clock_is = reading.started_ns, reading.clock
        self._notes: list[str] = []
        self._size_px, self._frame_rate, self._frames_expected = (0, 0), 0.0, 0
        self._counted.counts["frames"] = self._first_frame
        self._since_change = start.since_mark if start else 0
        self._extent = Extent(path, is_piece=piece is not None)

    def _run(self) -> Items:
        yield self._state("connecting")
        try:
            container, stream = self._open()
        except SourceError as error:
            yield self._state("failed", error.reason, str(error))
            return
        with container:
            told = chosen_stream(self._path, container, stream), assumed_rate(self._path, stream)
            self._notes += filter(None, told)
            if self._started_ns is None and self._reading.trusts_metadata:
                self._started_ns = creation_time(container, stream)
                self._clock_is = "" if self._started_ns is None else "creation_time"
            appearance = shown_fields(self._reading.appearance, stream.codec_context.name)
            self._display = Display(appearance, container_crop(self._path, container, stream))
            try:
                if self._seek_ticks is not None:
                    seek_to_key(container, stream, self._seek_ticks, exact=self._first_frame > 0)
                yield from self._read(container, stream)
                end = RecordingEnd(self._path, container, stream, self._counted, self._extent)
                end.check()
                if self._first_frame == 0:
                    missing = self._extent.gaps.missing if self._extent.gaps else Missing()
                    self._notes += [*end.missing_time(), *notes_of(self._path, self.counters, missing)]
                else:  # the remarks on its pictures apply to all of them
                    at_end = list(end.missing_time())
                    if_damaged = at_end if looks_damaged(self.counters) else end.missing_time(damaged_before=True)
                    self.detail_if_damaged = readable("; ".join([*self._notes, *if_damaged]))
                    self._notes += at_end
                yield self._state("ended", "end_of_file", "; ".join(self._notes))
            except SourceError as error:
                yield self._state("failed", error.reason, str(error))

    def _read(self, container: InputContainer, stream: VideoStream) -> Iterator[Frame | StreamChanged]:
        decoder = PacketDecoder(stream.codec_context, self._config, self._spare)
        if self._config.skip_frame == "none":
            self._frame_rate, self._frames_expected = float(nominal_rate(stream)), expected_frames(container, stream)
        clock = recording_clock(container, stream, self._config.skip_frame, self._start)
        damage = Damage(stream.codec_context)
        compression = HevcQp(stream.codec_context.name, stream.codec_context.extradata)
        stamps = Stamps(stream, skips=self._config.skip_frame != "none")
        shape = PixelShape(container_aspect(stream))
        for packet in self._packets(container, stream):
            captured_ns = time.time_ns()
            stamps.feed(packet)
            damage.feed(packet)
            compression.feed(packet)
            try:
                pictures, are_guessed = decoder.decode(packet)
            except (av.error.FFmpegError, ValueError):
                self._counted.counts["corrupt_packets"] += 1
                damage.refuse()
                stamps.refuse()
                continue
            if are_guessed:
                damage.refuse()
            shape.note(packet, decoder.context)
            for picture in pictures:
                qp = compression.of(picture)  # by its time, which is handed back below
                if (note := self._note(picture, stamps, damage, captured_ns)) is not None:
                    yield from self._show(picture, shape.of(picture), qp, note, clock)
        self._extent.tells_damage = decoder.is_strict
        yield from self._emit(self._display.flush(), clock)

    def _spare(self) -> VideoCodecContext:
        """Return another context of the stream, with the container's parameters."""
        container, stream = self._open()
        with container:
            return stream.codec_context

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[av.Packet[Any] | None]:
        """Yield the packets of the video stream, then None to flush the decoder; note where the file breaks off.

        Raises:
            SourceError: ``encrypted``.
        """
        # Other streams are read too: the file may be truncated within their packets.
        self._extent.begin(container, stream)
        try:
            for packet in packets_of(container, meanwhile=self.meanwhile):
                self._extent.note(packet)
                if packet.stream.index == stream.index:
                    if is_encrypted_packet(packet):
                        raise encrypted(self._path, "common encryption", self._after())
                    self._counted.counts["packets"] += 1
                    self._extent.has_key |= packet.is_keyframe
                    yield packet
        except av.error.FFmpegError as error:
            self._extent.cut = f"with the error: {error.strerror}"
        yield None

    def _after(self) -> str:
        frames = self._counted.counts["frames"]
        return f" after its first {count(frames, 'frame').removeprefix('1 ')}" if frames else ""

    def _note(self, picture: av.VideoFrame, stamps: Stamps, damage: Damage, captured_ns: int) -> _Note | None:
        """Return what is known about a picture; None if it comes too early to be intact."""
        too_early = damage.is_too_early(picture)
        if self._config.skip_frame == "none":
            self._counted.drops["no_key_frame"] = damage.left_out
        corrupt, damaged = not too_early and damage.is_in(picture), not too_early and damage.harms(picture)
        damage.hand_back(picture)
        pts, ticks = stamps.of(picture)
        return None if too_early else _Note(pts, ticks, captured_ns, corrupt, damaged)

    def _show(
        self, picture: av.VideoFrame, aspect: Fraction | None, qp: int | None, note: _Note, clock: StreamClock
    ) -> Iterator[Frame | StreamChanged]:
        try:
            shown = self._display.show(picture, aspect, note, qp)
        except Exception as error:  # an error of any kind costs only this picture
            self._counted.counts["corrupt_packets"] += 1
            self._extent.refusal = self._extent.refusal or f"{type(error).__name__}: {error}"
            if self._counted.counts["frames"] == 0 and self._counted.counts["corrupt_packets"] >= _HOPELESS_PICTURES:
                raise SourceError(f"{self._path}: none of its pictures can be used: {self._extent.refusal}", "codec") from error
            return
        yield from self._emit(shown, clock)

    def _emit(self, shown: Iterable[tuple[Planes, _Note]], clock: StreamClock) -> Iterator[Frame | StreamChanged]:
        for planes, note in shown:
            if self._lead.is_broken(note.ticks):
                continue
            seconds, jumped = clock.advance(note.ticks)
            if self._lead.takes(note.ticks):
                self._size_px = planes.width_px, planes.height_px
                self.before = self._frame(planes, note, seconds, self._first_frame - 1, clock), self.counters
                continue
            index = self._counted.counts["frames"]
            for change in self._changes(planes, jumped, index == self._first_frame):
                self._since_change = 0 if change.state == "discontinuity" else self._since_change
                yield change
            self._counted.counts["frames"] += 1
            self._counted.counts["corrupt_frames"] += note.corrupt
            self._since_change += 1
            yield self._frame(planes, note, seconds, index, clock)

    def _frame(self, planes: Planes, note: _Note, seconds: float, index: int, clock: StreamClock) -> Frame:
        recorded_ns = None if self._started_ns is None else self._started_ns + round(seconds * 1e9)
        when = FrameTime(index, note.pts, clock.time_base, seconds, note.captured_ns, recorded_ns=recorded_ns)
        return Frame(self._name, when, planes, (self._since_change - 1) % self._detect_every == 0, note.damaged)

    def _changes(self, planes: Planes, jumped: bool, is_first: bool) -> Iterator[StreamChanged]:
        """Yield the states to announce before this picture."""
        before, self._size_px = self._size_px, (planes.width_px, planes.height_px)
        if is_first:
            yield self._state("live")
        if before not in ((0, 0), self._size_px):
            yield self._state("discontinuity", "resolution_change")
        elif jumped:
            yield self._state("discontinuity", "timestamp_jump")

    def _state(self, state: StreamState, reason: str = "", detail: str = "") -> StreamChanged:
        width_px, height_px = self._size_px
        return StreamChanged(
            stream=self._name,
            state=state,
            reason=cast(Reason, reason),
            detail=readable(detail),
            width_px=width_px,
            height_px=height_px,
            counters=self.counters,
            frame_rate=self._frame_rate,
            frames_expected=self._frames_expected,
            started_ns=self._started_ns,
            clock=self._clock_is,
        )
