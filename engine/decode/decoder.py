"""One recording, from its file to upright YUV frames and the states of its stream."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, cast

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from engine.config import DecodeConfig
from engine.contracts.frames import Frame, FrameTime, Planes
from engine.contracts.links import StreamChanged
from engine.contracts.messages import Reason, StreamState
from engine.decode.clock import StreamClock
from engine.decode.container import FALLBACK_TIME_BASE, expected_frames, is_cut, nominal_rate, open_recording
from engine.decode.planes import PlaneConverter
from engine.errors import SourceError

# Log lines would call back into Python from FFmpeg's own threads, which is known to deadlock.
av.logging.set_level(None)

MAX_GAP_SECONDS = 10.0
"""Longer steps between time stamps are a jump, as in FFmpeg's own ``dts_delta_threshold``."""
MAX_KEY_FRAME_GAP_SECONDS = 60.0
"""The same where only key frames are decoded."""
_SKIP: dict[str, Literal["DEFAULT", "NONREF", "NONKEY"]] = {"none": "DEFAULT", "nonref": "NONREF", "nonkey": "NONKEY"}
_ANNOUNCE_DURATION = {"matroska,webm", "flv"}
"""Containers whose header holds the duration while FFmpeg does not say that a file breaks off."""
_MISSING_SHARE = 0.1
_HOPELESS_PICTURES = 25
"""So many from the start that cannot be used: the rest is not read."""


class Decoder:
    """Read one recording. Iterate once; not thread-safe, and it may not cross a process.

    Iterating gives, in this order: a ``StreamChanged`` ``connecting``; ``live`` with the picture size; frames, with a
    ``discontinuity`` (``resolution_change`` or ``timestamp_jump``) before each frame that does not continue the one before;
    and, always, exactly one last ``ended`` (``end_of_file``) or ``failed`` with its reason, one sentence, and the counters:

    - ``frames``: decoded, those that the decoder skipped not included;
    - ``packets``: read from the file;
    - ``corrupt_packets``: the decoder refused them;
    - ``corrupt_frames``: delivered, but the decoder had to conceal errors in them.

    From ``live`` on the states tell the nominal frame rate and the expected number of frames, unless the decoder skips some.

    Bad input never raises. A file that ends too early gives all its frames first and then ``failed`` with ``truncated``, as
    far as its container tells: MP4, MOV, AVI and FLV do (but for a cut exactly between two packets in the last two); an MKV,
    TS or GIF that is cut just ends, and the detail of ``ended`` names the missing time where the header announced more.

    Planes are read-only views of the decoder's buffers where possible. They stay valid as long as they are referenced, but
    a consumer that keeps many keeps as many of the decoder's buffers.

    Args:
        recording_name: the stream's name in frames and states.
        path: the file.
        config: threads and skipping; pacing is the caller's.
        detect_every: every n-th frame, from the start and from each discontinuity, is marked for detection.
    """

    def __init__(self, recording_name: str, path: Path, config: DecodeConfig, detect_every: int = 1) -> None:
        self._name, self._path, self._config, self._detect_every = recording_name, path, config, detect_every
        self._converter = PlaneConverter()
        self._items: Generator[Frame | StreamChanged, None, None] | None = None
        self._counters = {"frames": 0, "packets": 0, "corrupt_packets": 0, "corrupt_frames": 0}
        self._size_px = (0, 0)
        self._frame_rate, self._frames_expected = 0.0, 0
        self._since_change = 0
        self._read_to_seconds = 0.0
        self._cut = ""
        self._refusal = ""

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame | StreamChanged]:
        if self._items is None:
            self._items = self._run()
        return self._items

    def close(self) -> None:
        """Close the file, also in the middle of it. May be called twice."""
        if self._items is not None:
            self._items.close()

    @property
    def counters(self) -> dict[str, int]:
        """What was counted up to now, see the class."""
        return dict(self._counters)

    def _run(self) -> Generator[Frame | StreamChanged, None, None]:
        yield self._state("connecting")
        try:
            container, stream = open_recording(self._path)
        except SourceError as error:
            yield self._state("failed", error.reason, str(error))
            return
        with container:
            try:
                yield from self._read(container, stream)
            except SourceError as error:
                yield self._state("failed", error.reason, str(error))
            else:
                yield self._last_state(container, stream)

    def _read(self, container: InputContainer, stream: VideoStream) -> Iterator[Frame | StreamChanged]:
        context = stream.codec_context
        # Frame threads hold back thread_count - 1 frames and gain nothing where several recordings are read at once; slice
        # threads help only streams that were encoded in slices. One thread costs the least for each frame.
        context.thread_count = self._config.thread_count
        context.thread_type = "SLICE" if self._config.thread_count == 1 else "AUTO"
        context.skip_frame = _SKIP[self._config.skip_frame]
        gap_seconds = MAX_KEY_FRAME_GAP_SECONDS if self._config.skip_frame == "nonkey" else MAX_GAP_SECONDS
        rate = nominal_rate(stream)
        if self._config.skip_frame == "none":
            self._frame_rate, self._frames_expected = float(rate), expected_frames(container, stream)
        clock = StreamClock(stream.time_base or FALLBACK_TIME_BASE, float(1 / rate), gap_seconds)
        for packet in self._packets(container, stream):
            captured_ns = time.time_ns()
            try:
                pictures = context.decode(packet)
            except (av.error.FFmpegError, ValueError):
                self._counters["corrupt_packets"] += 1
                continue
            for picture in pictures:
                yield from self._emit(picture, clock, captured_ns)

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[av.Packet[Any] | None]:
        """Yield the packets of the video stream, then None to flush the decoder; note where the file breaks off."""
        # Other streams are read too: the file may break off within their packets. A partly read packet is marked corrupt,
        # but in a transport stream the mark means a lost packet somewhere before.
        marks_cut = container.format.name != "mpegts"
        announces_duration = container.format.name in _ANNOUNCE_DURATION
        try:
            for packet in container.demux():
                if packet.size == 0:  # PyAV's own flush packets, and the empty ones by which AVI repeats a picture
                    continue
                self._cut = "in the middle of a packet" if marks_cut and packet.is_corrupt else ""
                if announces_duration and packet.pts is not None:
                    self._read_to_seconds = max(self._read_to_seconds, float(packet.pts * packet.time_base))
                if packet.stream.index == stream.index:
                    self._counters["packets"] += 1
                    yield packet
        except av.error.FFmpegError as error:
            self._cut = f"with the error: {error.strerror}"
        yield None

    def _emit(self, picture: av.VideoFrame, clock: StreamClock, captured_ns: int) -> Iterator[Frame | StreamChanged]:
        try:
            planes = self._converter.convert(picture)
        except Exception as error:  # of whatever kind: it costs this picture
            self._counters["corrupt_packets"] += 1
            self._refusal = self._refusal or f"{type(error).__name__}: {error}"
            if self._counters["frames"] == 0 and self._counters["corrupt_packets"] >= _HOPELESS_PICTURES:
                raise SourceError(f"{self._path}: none of its pictures can be used: {self._refusal}", "codec") from error
            return
        # Containers such as AVI time packets only in decoding order; FFmpeg carries that over to the order of showing.
        seconds, jumped = clock.advance(picture.dts if picture.pts is None else picture.pts)
        change = self._change(planes, jumped)
        if change is not None:
            self._since_change = 0
            yield change
        index = self._counters["frames"]
        self._counters["frames"] += 1
        self._counters["corrupt_frames"] += bool(picture.is_corrupt)
        detect = self._since_change % self._detect_every == 0
        self._since_change += 1
        yield Frame(self._name, FrameTime(index, picture.pts, clock.time_base, seconds, captured_ns), planes, detect)

    def _change(self, planes: Planes, jumped: bool) -> StreamChanged | None:
        """Return the state to announce before this picture, if any."""
        before, self._size_px = self._size_px, (planes.width_px, planes.height_px)
        if before == (0, 0):
            return self._state("live")
        if before != self._size_px:
            return self._state("discontinuity", "resolution_change")
        return self._state("discontinuity", "timestamp_jump") if jumped else None

    def _last_state(self, container: InputContainer, stream: VideoStream) -> StreamChanged:
        frames, packets = self._counters["frames"], self._counters["packets"]
        if not self._cut and is_cut(container, stream):
            self._cut = "before the end that its index gives"
        if self._cut:
            return self._state("failed", "truncated", f"{self._path} breaks off {self._cut}; frames before that: {frames}")
        if packets == 0:
            return self._state("failed", "truncated", f"{self._path} ends before its first picture")
        if frames == 0:
            codec, why = stream.codec_context.name, f" ({self._refusal})" if self._refusal else ""
            return self._state(
                "failed", "codec", f"{self._path}: no picture could be decoded from its {packets} {codec} packets{why}"
            )
        return self._state("ended", "end_of_file", self._missing_time(container))

    def _missing_time(self, container: InputContainer) -> str:
        if container.format.name not in _ANNOUNCE_DURATION or not container.duration:
            return ""
        announced = container.duration / av.time_base
        if announced - self._read_to_seconds <= max(1.0, _MISSING_SHARE * announced):
            return ""
        read = f"{self._read_to_seconds:.1f} s"
        return f"{self._path} ends at {read} where its header announces {announced:.1f} s: it may be cut off or damaged"

    def _state(self, state: StreamState, reason: str = "", detail: str = "") -> StreamChanged:
        width_px, height_px = self._size_px
        detail = detail.encode(errors="replace").decode()  # a file name need not be UTF-8, a message must
        return StreamChanged(
            stream=self._name,
            state=state,
            reason=cast(Reason, reason),
            detail=detail,
            width_px=width_px,
            height_px=height_px,
            counters=self.counters,
            frame_rate=self._frame_rate,
            frames_expected=self._frames_expected,
        )
