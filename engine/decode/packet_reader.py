"""The thread that opens a camera, reads its packets, and closes it: FFmpeg may block in each of these steps."""

from __future__ import annotations

import struct
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from engine.contracts.camera import Camera
from engine.contracts.networks import Networks
from engine.decode.camera import is_http, plan_of, read_timeout_seconds, server_port
from engine.decode.camera_errors import explain_end, explain_open, failure
from engine.decode.packet_queue import Arrival, PacketQueue
from engine.decode.packets import packets_of
from engine.decode.rates import FALLBACK_TIME_BASE, announced_rate
from engine.decode.sockets import CameraSockets
from engine.errors import SourceError

_GEN_PTS = 0x0001
"""FFmpeg's AVFMT_FLAG_GENPTS, which PyAV sets: it holds packets back if time stamps are missing."""
_NO_TIMESTAMPS = 0x0080
"""FFmpeg's AVFMT_NOTIMESTAMPS, for which PyAV has no name."""

_ONE_PICTURE, _UNSTAMPED = "_pipe", "jpeg_pipe"
"""Suffix of FFmpeg's demuxers of single pictures, which also take JPEG pictures one after the other."""
_PARTS, _PICTURES = "mpjpeg", "mjpeg"
"""JPEG over HTTP: split by its parts, which for FFmpeg must have the type ``image/jpeg``, though cameras write ``image/jpg``,
and begin with two dashes; or by the first bytes of the pictures alone.
"""


class _WrongParts(Exception):
    """The parts of JPEG over HTTP do not have the lengths that they declare."""


@dataclass(frozen=True)
class Opened:
    """What is known about a camera once it has answered."""

    context: VideoCodecContext | None
    """Decoder context of its video stream; None: it gives pictures."""
    time_base: Fraction
    frame_rate: Fraction | None
    """Frames per second, if it says so."""


class ArrivalTimes:
    """Time stamps for streams without any, such as JPEG over HTTP and raw H.264: FFmpeg would assume 25 pictures a second."""

    time_base = Fraction(1, 1_000_000)

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._last = -1

    def stamp(self, packet: av.Packet[Any]) -> None:
        """Give a packet its arrival time, later than that of the one before."""
        self._last = max(self._last + 1, round((time.monotonic() - self._start) * 1e6))
        packet.pts = packet.dts = self._last


class Reader(ABC, threading.Thread):
    """Reads one connection into ``queue`` until it ends or is stopped. It closes everything it opens, on every path."""

    def __init__(self, camera: Camera) -> None:
        super().__init__(name=f"reader-{camera.name}", daemon=True)
        self.queue = PacketQueue()
        self.opened: Opened | None = None
        """What the camera sends; set once."""
        self.error: SourceError | None = None
        """Why reading ended; set before the queue ends."""
        self.last_packet_monotonic: float | None = None
        self._camera = camera
        self._stopped = threading.Event()

    @property
    def longest_read_seconds(self) -> float:
        """Time after which an open or a read must have returned, stopped or not."""
        return max(self._camera.connect_seconds, read_timeout_seconds(self._camera) or 0.0)

    def run(self) -> None:
        try:
            self._read()
        except SourceError as error:
            # The traceback and context would keep the container, and the URL with its password.
            error.__context__ = None
            self.error = error.with_traceback(None)
        except Exception as error:  # an error in the thread must reach the caller
            self.error = failure(self._camera, "codec", f"broke its reader ({type(error).__name__}): please report this")
        finally:
            self.queue.end()

    def stop(self) -> None:
        """Ask the reader to end; it does so at its next packet."""
        self._stopped.set()

    def wake(self, hard: bool = False) -> None:
        """Interrupt a blocking read if possible; ``hard``: even while data keeps coming."""

    @abstractmethod
    def _read(self) -> None:
        """Open, read, close.

        Raises:
            SourceError: why the connection could not be made, or ended; always, unless stopped.
        """

    def _arrived(self, payload: av.Packet[Any] | av.VideoFrame, key: bool, size_bytes: int, ntp_ns: int | None = None) -> None:
        captured_ns, now = time.time_ns(), time.monotonic()
        self.last_packet_monotonic = now
        self.queue.put(Arrival(payload, key, size_bytes, captured_ns, now, ntp_ns))


class PacketReader(Reader):
    """Reads with FFmpeg."""

    def __init__(self, camera: Camera) -> None:
        super().__init__(camera)
        self._sockets = CameraSockets(server_port(camera.url))

    def wake(self, hard: bool = False) -> None:
        self._sockets.wake(hard)

    def _read(self) -> None:
        try:
            self._read_all(self._open())
        except _WrongParts:
            self._read_all(self._opened_as(_PICTURES))

    def _read_all(self, container: InputContainer) -> None:
        try:
            self._check_place()
            self._sockets.remember()
            if self._camera.silent_by_design:
                self._sockets.keep_alive()
            self._demux(container, self._stream_of(container))
        finally:
            container.close()  # this also tells an RTSP server that the session is over

    def _check_place(self) -> None:
        """Refuse a camera at an address that is not allowed: a name may resolve to another one by now."""
        if self._camera.networks is None:
            return
        networks = Networks(self._camera.networks)
        for address in self._sockets.peers():
            if not networks.allows(address):
                raise failure(self._camera, "permission", f"leads to {address}, which serve.cameras_in does not allow")

    def _open(self) -> InputContainer:
        try:
            container = self._opened_as()
        except SourceError as error:
            if error.reason == "not_a_video" and is_http(self._camera.url):
                return self._opened_by_pictures(error)
            raise
        name = container.format.name
        if name.endswith(_ONE_PICTURE) and container.size > 0:
            container.close()
            raise failure(self._camera, "not_live", "gives a single picture: choose the path of its video")
        if name != _PARTS or not _is_unseen(container):
            return container
        container.close()
        what = "sends parts that are not JPEG pictures: choose JPEG or H.264 in its settings"
        return self._opened_by_pictures(failure(self._camera, "codec", what))

    def _opened_by_pictures(self, error: SourceError) -> InputContainer:
        """Open it by the beginnings of JPEG pictures; raises ``error`` where none is seen."""
        container = self._opened_as(_PICTURES)
        if _is_unseen(container):
            container.close()
            raise error
        return container

    def _opened_as(self, kind: str | None = None) -> InputContainer:
        camera, plan = self._camera, plan_of(self._camera, kind)
        limits = [camera.connect_seconds, read_timeout_seconds(camera) or camera.connect_seconds]
        start = time.monotonic()
        try:
            # PyAV's time-out bounds opening as a whole, FFmpeg's own each read. PyAV's would slow every read down, as it
            # calls Python for the time in each, and leaves a demuxer in the middle of a packet.
            container = av.open(
                plan.url,
                format=plan.format,
                options=plan.options,
                timeout=(camera.connect_seconds, None),
                metadata_errors="replace",
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise explain_open(camera, error, time.monotonic() - start, min(limits)) from None
        container.flags &= ~_GEN_PTS
        return container

    def _stream_of(self, container: InputContainer) -> VideoStream:
        camera = self._camera
        if is_http(self._camera.url) and container.duration:
            seconds = container.duration / av.time_base
            what = f"is a recording of {seconds:.0f} s: download it and give the file"
            raise failure(camera, "not_live", what)
        if not container.streams.video:
            raise failure(camera, "no_video", "sends no video, at most sound: check the path and the camera's settings")
        stream = container.streams.best("video") or container.streams.video[0]
        assert isinstance(stream, VideoStream)
        if stream.codec_context is None:
            raise failure(camera, "codec", "sends what this FFmpeg has no decoder for: choose H.264 or H.265 in its settings")
        return stream

    def _demux(self, container: InputContainer, stream: VideoStream) -> None:
        always_key = stream.codec_context.codec.intra_only
        is_unstamped = container.format.flags & _NO_TIMESTAMPS or container.format.name == _UNSTAMPED
        by_arrival = ArrivalTimes() if is_unstamped else None
        time_base = by_arrival.time_base if by_arrival else stream.time_base or FALLBACK_TIME_BASE
        self.opened = Opened(stream.codec_context, time_base, None if by_arrival else announced_rate(stream))
        try:
            for packet in packets_of(container, stream):
                if self._stopped.is_set():
                    return
                if by_arrival:
                    by_arrival.stamp(packet)
                self._arrived(packet, always_key or packet.is_keyframe, packet.size, _ntp_ns(packet))
        except (av.error.FFmpegError, OSError) as error:
            if container.format.name == _PARTS and isinstance(error, av.error.InvalidDataError):
                raise _WrongParts from None
            raise explain_end(self._camera, error, self._sockets.were_reset()) from None
        if not self._stopped.is_set():
            raise explain_end(self._camera, None, self._sockets.were_reset())


def _is_unseen(container: InputContainer) -> bool:
    """Whether not even the picture size is known."""
    return not any(stream.width for stream in container.streams.video)


def _ntp_ns(packet: av.Packet[Any]) -> int | None:
    """Return when the camera took the picture by its own clock; known once it has sent an RTCP report.

    FFmpeg attaches its AVProducerReferenceTime: int64 microseconds (Unix), then flags.
    """
    if not packet.has_sidedata("prft"):
        return None
    (microseconds,) = struct.unpack("=q", bytes(packet.get_sidedata("prft"))[:8])
    return microseconds * 1000 if microseconds > 0 else None
