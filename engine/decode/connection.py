"""One connection to a camera: turns the packets of its reader into frames and states, until it is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import av

from engine.contracts.camera import Camera
from engine.contracts.frames import Frame, FrameTime, Planes
from engine.contracts.messages import Reason, StreamState
from engine.contracts.streams import StreamChanged
from engine.decode.camera_errors import failure
from engine.decode.clock import StreamClock
from engine.decode.counted import Counted
from engine.decode.detection_pace import DetectionPace
from engine.decode.display import Display
from engine.decode.packet_queue import Arrival
from engine.decode.packet_reader import Opened, PacketReader, Reader
from engine.decode.picture_gate import PictureGate
from engine.decode.pixel_shape import shown_fields
from engine.decode.silence import Silence
from engine.errors import SourceError, WorkerError

WAIT_SECONDS = 0.05
"""The longest time in which nothing is yielded."""
MAX_GAP_SECONDS = 10.0
"""Longer steps between time stamps are jumps, as in recordings."""
HELD_SECONDS = 0.5
"""Steps back of up to this are put down to a careless camera, not a jump."""
GRACE_SECONDS = 5.0
"""A reader that is this late hangs in FFmpeg."""
KEYLESS_SECONDS = 5.0
"""A longer wait for a key frame is reported; some cameras send one a minute."""
KEYLESS_LIMIT_SECONDS = 60.0
"""A longer wait ends the connection: most cameras begin a connection with a key frame, and name a changed codec. If the next
connection brings no key frame either, it is kept for as long as all before it together: then only waiting helps.
"""
_WAKE_AFTER_SECONDS = 0.25
_CLOSE_SECONDS = 1.5
_UNKNOWN_RATE = 25

Announce = Callable[[StreamState, Reason, str, tuple[int, int], float], StreamChanged]
Items = Generator[Frame | StreamChanged | None, None, SourceError]


class Connection:
    """Run it once; not thread-safe.

    Args:
        camera: the source.
        counted: counters to increment, see ``LiveDecoder``.
        announce: makes a state from state, reason, detail, (width, height) and frame rate.
        motion: see ``DecodeConfig.motion``.
    """

    def __init__(self, camera: Camera, counted: Counted, announce: Announce, *, motion: bool = False) -> None:
        self._camera, self._counted, self._announce, self._motion = camera, counted, announce, motion
        self._reader = _reader_for(camera)
        self._display: Display[tuple[av.VideoFrame, Arrival]] = Display(camera.appearance)
        self._pace = DetectionPace(camera.detect_fps)
        self._gate: PictureGate | None = None
        self._clock: StreamClock | None = None
        self._opened: Opened | None = None
        self._size_px = (0, 0)
        self._silence = Silence(camera.stalled_after_seconds)
        self._stalled = self._keyless = False
        self._held: Arrival | None = None
        self._started = time.monotonic()
        self._opened_at = 0.0
        self.live_since: float | None = None
        """When the first frame came (monotonic); None before."""
        self.keyless_before_seconds = 0.0
        """How long the connections just before this one waited for a key frame in vain."""

    @property
    def opened(self) -> Opened | None:
        """What the camera says it sends; None before it has answered."""
        return self._reader.opened

    @property
    def last_packet_monotonic(self) -> float | None:
        return self._reader.last_packet_monotonic

    @property
    def keyless_seconds(self) -> float:
        """For how long packets have been waiting for a key frame, over all connections; 0 if they are not."""
        seconds = self._keyless_seconds()
        return seconds + self.keyless_before_seconds if seconds else 0.0

    def run(self) -> Items:
        """Yield frames, states, and None if nothing came; return why the connection was lost.

        Raises:
            WorkerError: the reader hangs in FFmpeg.
        """
        self._reader.start()
        queue = self._reader.queue
        while not queue.ended:
            came = False
            arrivals = self._arrivals()
            for arrival in arrivals:
                self._silence.came(arrival.arrived_monotonic)
                for item in self._take(arrival):
                    came = True
                    yield item
            if not came:
                yield self._lack_of_key() if arrivals else self._stall()
            loss = self._given_up()
            if loss is not None:
                yield from self._end_reader()
                return loss
        self._reader.join()
        return self._reader.error or failure(self._camera, "end_of_stream", "was closed")

    def wake(self) -> None:
        """Let ``run`` yield now; from any thread."""
        self._reader.queue.wake()

    def close(self) -> None:
        """Stop the reader, which closes the camera, and wait for it briefly; a hanging reader ends with the process."""
        self._reader.stop()
        if self._reader.ident is None:
            return
        self._reader.join(_WAKE_AFTER_SECONDS)
        if self._reader.is_alive():
            self._reader.wake()
            self._reader.join(_CLOSE_SECONDS / 2)
            self._reader.wake(hard=True)
            self._reader.join(_CLOSE_SECONDS / 2)

    def _arrivals(self) -> list[Arrival]:
        """Wait for the next arrivals. After a stall the first is held back until another follows: FFmpeg delivers the last
        picture when the connection ends, however long ago that picture came.
        """
        queue = self._reader.queue
        arrival = queue.get(WAIT_SECONDS)
        self._count_dropped()
        held, self._held = self._held, None
        if held is None and self._stalled:
            self._held = arrival
            return []
        if held is not None and arrival is None and queue.ended:
            self._counted.counts["packets"] += 1
            self._counted.drops["decode_late"] += 1
            return []
        return [one for one in (held, arrival) if one is not None]

    def _end_reader(self) -> Iterator[None]:
        reader, start = self._reader, time.monotonic()
        reader.stop()
        wakes = 0
        while reader.is_alive():
            now = time.monotonic()
            if now - start > reader.longest_read_seconds + GRACE_SECONDS:
                raise WorkerError(f"camera {self._camera.name} hangs in FFmpeg: its process ends, and a new one takes over")
            if now - start >= wakes:
                reader.wake(hard=wakes > 0)
                wakes += 1
            reader.join(WAIT_SECONDS)
            yield None

    def _stall(self) -> StreamChanged | None:
        """Return the state to announce because nothing came, if any."""
        if self.live_since is None or self._stalled or self._camera.silent_by_design:
            return None
        silent_seconds = time.monotonic() - (self._reader.last_packet_monotonic or self._opened_at)
        if not self._silence.is_long(silent_seconds):
            return None
        self._stalled = True
        return self._state("stalled", "timeout", f"{self._camera.shown} has sent no picture for {silent_seconds:.1f} s")

    def _lack_of_key(self) -> StreamChanged | None:
        """Return the state to announce because packets keep waiting for a key frame, if any."""
        if self._keyless_seconds() < KEYLESS_SECONDS or self._keyless:
            return None
        self._keyless = True
        return self._state("connecting" if self.live_since is None else "stalled", "no_key_frame", str(self._keyless_for()))

    def _keyless_seconds(self) -> float:
        """The same of this connection alone."""
        last = self._reader.last_packet_monotonic
        return self._gate.keyless_seconds(last) if self._gate is not None and last is not None else 0.0

    def _keyless_for(self) -> SourceError:
        lack = f"has sent no key frame for {self.keyless_seconds:.0f} s, without which its pictures cannot be decoded"
        return failure(self._camera, "no_key_frame", f"{lack}: set its key frame interval (I-frame, GOP) to 1 or 2 seconds")

    def _given_up(self) -> SourceError | None:
        """Return why the connection should be given up, if it should."""
        camera, now = self._camera, time.monotonic()
        if self._reader.opened is None:
            if now - self._started > camera.connect_seconds + GRACE_SECONDS:
                return failure(camera, "timeout", f"did not answer within {camera.connect_seconds:g} s")
            return None
        if self._opened is None:
            self._opened, self._opened_at = self._reader.opened, now
        last = self._reader.last_packet_monotonic
        if not camera.silent_by_design and now - (last or self._opened_at) > camera.stall_seconds:
            return failure(camera, "timeout", f"has sent no picture for {camera.stall_seconds:g} s")
        if self._gate is not None and self._gate.hopeless(now, camera.stall_seconds):
            if self.live_since is None:
                return failure(camera, "codec", f"sends {self._gate.codec_name} that cannot be decoded: check its settings")
            return failure(camera, "codec_change", "sends pictures that are no longer of the kind that it announced")
        limit_seconds = max(KEYLESS_LIMIT_SECONDS, self.keyless_before_seconds)
        return self._keyless_for() if self._keyless_seconds() > limit_seconds else None

    def _count_dropped(self) -> None:
        dropped, broken = self._reader.queue.take_dropped()
        self._counted.drops["decode_late"] += dropped
        self._counted.counts["packets"] += dropped
        if broken:
            self._cut()

    def _cut(self) -> None:
        """The next packet does not continue the one before."""
        if self._gate is not None:
            self._gate.broken()

    def _take(self, arrival: Arrival) -> Iterator[Frame | StreamChanged]:
        self._counted.counts["packets"] += 1
        self._counted.counts["bytes"] += arrival.size_bytes
        gate, clock = self._ready()
        for picture, source in gate.pictures(arrival):
            try:
                shown = self._display.show(picture, gate.pixel_aspect(picture), (picture, source), gate.qp(picture))
            except (av.error.FFmpegError, ValueError):
                self._counted.counts["corrupt_frames"] += 1
                self._counted.drops["corrupt"] += 1
                continue
            for planes, (decoded, came_in) in shown:
                yield from self._emit(decoded, planes, clock, came_in)

    def _ready(self) -> tuple[PictureGate, StreamClock]:
        """Return the gate and the clock, which need to know the stream and are made at its first packet."""
        if self._gate is None or self._clock is None:
            opened = self._reader.opened
            assert opened is not None, "a packet before the stream"
            self._gate = PictureGate(opened.context, self._camera.hwaccel, self._counted, motion=self._motion)
            self._display = Display(shown_fields(self._camera.appearance, self._gate.codec_name))
            rate = opened.frame_rate or _UNKNOWN_RATE
            # FFmpeg gives the first picture no time; the others count from the camera's own value, which may be wrong.
            self._clock = StreamClock(opened.time_base, float(1 / rate), MAX_GAP_SECONDS, HELD_SECONDS, unstamped_first=True)
        return self._gate, self._clock

    def _emit(
        self, picture: av.VideoFrame, planes: Planes, clock: StreamClock, source: Arrival
    ) -> Iterator[Frame | StreamChanged]:
        if (self._stalled or self._keyless) and self.live_since is not None:
            yield self._state("live", "", "")
        self._stalled = self._keyless = False
        seconds, jumped = clock.advance(picture.dts if picture.pts is None else picture.pts)
        change = self._change(planes, jumped)
        if change is not None:
            self._pace.restart()
            yield change
        index = self._counted.counts["frames"]
        self._counted.counts["frames"] += 1
        when = FrameTime(
            index,
            picture.pts,
            clock.time_base,
            seconds,
            source.captured_ns,
            source.ntp_ns,
            arrived_seconds=source.arrived_monotonic,
        )
        yield Frame(self._camera.name, when, planes, self._pace.mark(seconds))

    def _change(self, planes: Planes, jumped: bool) -> StreamChanged | None:
        """Return the state to announce before this picture, if any."""
        before, self._size_px = self._size_px, (planes.width_px, planes.height_px)
        if self.live_since is None:
            self.live_since = time.monotonic()
            return self._state("live", "", self._gate.note if self._gate else "")
        if before != self._size_px:
            return self._state("discontinuity", "resolution_change", "")
        return self._state("discontinuity", "timestamp_jump", "") if jumped else None

    def _state(self, state: StreamState, reason: Reason, detail: str) -> StreamChanged:
        rate = self._reader.opened.frame_rate if self._reader.opened else None
        return self._announce(state, reason, detail, self._size_px, float(rate or 0))


def _reader_for(camera: Camera) -> Reader:
    if not camera.is_device or "v4l2" in av.formats_available:
        return PacketReader(camera)
    from engine.decode.v4l2 import DeviceReader  # no other camera needs OpenCV, which loads slowly

    return DeviceReader(camera)
