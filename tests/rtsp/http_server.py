"""An HTTP server of live video: an endless MPEG transport stream in real time, or a finite MP4; it misbehaves on demand."""

from __future__ import annotations

import asyncio
import io
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from types import TracebackType
from typing import Any

import av
import av.container

from tests.patience import PATIENCE_SECONDS
from tests.rtsp.clips import Clip
from tests.rtsp.listener import Listener, reset

REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found", 503: "Service Unavailable"}
FORMATS = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}


@dataclass(frozen=True)
class HttpBehaviour:
    """What happens to one connection; the default is an endless stream. Pictures are counted from 0."""

    status: int = 200
    silent: bool = False
    """Read the request, and never answer."""
    credentials: str = ""
    """``user:password`` (Basic) that is needed; empty: nobody is asked."""
    stall_at: int | None = None
    """Send nothing from this picture on …"""
    stall_seconds: float = 1e9
    """… for so long."""
    stall_within: bool = False
    """Stall in the middle of the picture's bytes."""
    close_at: int | None = None
    """Close the connection before this picture."""
    reset_at: int | None = None
    """Reset it before this picture."""
    speed: float = 1.0


HEALTHY = HttpBehaviour()


class HttpServer:
    """Serves a clip as ``/live.ts`` (for ever) and as ``/clip.mp4`` (once)."""

    def __init__(self, clip: Clip, behaviour: HttpBehaviour = HEALTHY) -> None:
        self.clip, self.behaviour = clip, behaviour
        self.requests = 0
        self._listener = Listener(self._serve)

    def __enter__(self) -> HttpServer:
        self._listener.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.stop()

    def url(self, path: str = "live.ts", credentials: str = "") -> str:
        return f"http://{credentials}{'@' if credentials else ''}127.0.0.1:{self._listener.port}/{path}"

    @property
    def connections_open(self) -> int:
        return self._listener.open

    @property
    def connections_opened(self) -> int:
        return self._listener.opened

    def down(self) -> None:
        """Refuse new connections and reset the open ones."""
        self._listener.refuse()
        self._listener.drop()

    def accept(self) -> None:
        """Accept connections again."""
        self._listener.listen()

    def wait(self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a condition holds; raises TimeoutError."""
        self._listener.wait(condition, seconds)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behaviour = self.behaviour
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests += 1
        self._listener.changed()
        # The client never says more; reading on tells when it leaves.
        left = asyncio.ensure_future(reader.read())
        answered = asyncio.ensure_future(self._answer(request, behaviour, writer))
        try:
            await asyncio.wait([left, answered], return_when=asyncio.FIRST_COMPLETED)
            if answered.done():
                answered.result()
        finally:
            left.cancel()
            answered.cancel()
            await asyncio.gather(left, answered, return_exceptions=True)

    async def _answer(self, request: str, behaviour: HttpBehaviour, writer: asyncio.StreamWriter) -> None:
        if behaviour.silent:
            await asyncio.Event().wait()
        path = request.split()[1]
        status = 404 if path not in ("/live.ts", "/clip.mp4") else behaviour.status
        word = b64encode(behaviour.credentials.encode()).decode()
        if status == 200 and behaviour.credentials and f"Authorization: Basic {word}" not in request:
            status = 401
        lines = [f"HTTP/1.1 {status} {REASONS[status]}", "Connection: close"]
        if status == 401:
            lines.append('WWW-Authenticate: Basic realm="camera"')
        body = mp4(self.clip) if path == "/clip.mp4" and status == 200 else b""
        if path != "/live.ts" or status != 200:
            lines.append(f"Content-Length: {len(body)}")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        await writer.drain()
        if path == "/live.ts" and status == 200:
            await self._stream(behaviour, writer)

    async def _stream(self, behaviour: HttpBehaviour, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for number, piece in enumerate(transport_stream(self.clip)):
            await asyncio.sleep(due - loop.time())
            due += 1 / (self.clip.fps * behaviour.speed)
            if number == behaviour.close_at:
                return
            if number == behaviour.reset_at:
                reset(writer)
                return
            if number == behaviour.stall_at:
                middle = len(piece) // 2 if behaviour.stall_within else 0
                writer.write(piece[:middle])
                await asyncio.sleep(behaviour.stall_seconds)
                piece = piece[middle:]
                due += behaviour.stall_seconds
            writer.write(piece)
            await writer.drain()


def transport_stream(clip: Clip) -> Iterator[bytes]:
    """Yield MPEG-TS of a clip that loops for ever, picture by picture, with continuous time stamps."""
    file = io.BytesIO()
    with _muxer(file, "mpegts", clip) as container:
        for number in count():
            container.mux_one(_packet(clip, number, container))
            yield file.getvalue()
            file.seek(0)
            file.truncate()


def mp4(clip: Clip) -> bytes:
    """Return a clip as an MP4 that can be read without seeking."""
    file = io.BytesIO()
    with _muxer(file, "mp4", clip) as container:
        for number in range(clip.frames):
            container.mux_one(_packet(clip, number, container))
    return file.getvalue()


def _muxer(file: io.BytesIO, name: str, clip: Clip) -> av.container.OutputContainer:
    options = {"flush_packets": "1", "movflags": "frag_keyframe+empty_moov+default_base_moof"} if name == "mp4" else {}
    container = av.open(file, "w", format=name, options=options or {"flush_packets": "1"})
    with av.open(str(clip.path), format=FORMATS[clip.codec]) as source:
        container.add_stream_from_template(source.streams.video[0])
    return container


def _packet(clip: Clip, number: int, container: av.container.OutputContainer) -> av.Packet[Any]:
    packet = av.Packet(clip.units[number % clip.frames])
    packet.stream = container.streams[0]
    packet.time_base = Fraction(1, clip.fps)
    packet.pts = packet.dts = number
    packet.duration = 1
    packet.is_keyframe = number % clip.key_every == 0
    return packet
