"""Listens to the run: turns its messages into events and pictures."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import zmq
import zmq.asyncio

from engine.contracts.messages import AnyMessage, Face, Track, decode_header, kind_of
from engine.contracts.picture_files import MEDIA_TYPES
from engine.contracts.tap import decode_preview, preview_topic
from engine.contracts.unreadable import UNREADABLE
from engine.web.fan import Fan, encode
from engine.web.paths import face_picture, stream_picture
from engine.web.pictures import Picture, PictureRing
from engine.web.problems import Refusal
from engine.web.report import Report
from engine.web.seen import Seen

_HWM, _LARGEST_BYTES = 256, 16 << 20
_MOST_NAMES, _MOST_PREVIEWS, _MOST_TOPICS = 10_000, 512, 512
_PREVIEW_SECONDS, _FRESH_SECONDS = 3.0, 15.0
"""So long a picture is waited for, and shown as the present one."""
_ALL_PREVIEWS = preview_topic("").rstrip("/") + "/"


class Tap:
    """Subscribes to what the publisher sends, and to previews of streams while somebody looks at them.

    Args:
        endpoint: of the messages.
        previews: of the small pictures.
        fan: gets the events.
        report: gets a line where a message cannot be read.
    """

    def __init__(self, endpoint: str, previews: str, fan: Fan, report: Report) -> None:
        self._fan, self._report = fan, report
        self.pictures = PictureRing()
        self.seen = Seen()
        self._previews: OrderedDict[str, tuple[float, Picture]] = OrderedDict()
        self._fresh = asyncio.Condition()
        self._named_run = ""
        self._names: OrderedDict[tuple[str, int], str] = OrderedDict()
        """By stream and track id, which mean somebody else in the next run."""
        self._asked: dict[bytes, int] = {}
        self._context = zmq.asyncio.Context()
        self._messages = self._subscriber(endpoint, b"v1/")
        self._pictures = self._subscriber(previews)

    async def run(self) -> None:
        """Listen, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen(self._messages, self._take_message))
            tasks.create_task(self._listen(self._pictures, self._take_preview))

    def close(self) -> None:
        """Disconnect."""
        for socket in (self._messages, self._pictures):
            if socket is not None:
                socket.close(linger=0)
        self._context.term()

    @contextmanager
    def watching(self, streams: frozenset[str] | None) -> Iterator[None]:
        """Let previews come of these streams for as long as the block lasts; None: of all.

        Args:
            streams: names that ``check_stream_name`` takes. Of new ones beyond the bound on all that are watched at a time
                none come.
        """
        topics = [topic for topic in _topics(streams) if self._watch(topic)]
        try:
            yield
        finally:
            for topic in topics:
                self._unwatch(topic)

    def _watch(self, topic: bytes) -> bool:
        if topic not in self._asked and len(self._asked) >= _MOST_TOPICS:
            self._report.say("previews", f"more than {_MOST_TOPICS} streams are being watched: the others have no previews")
            return False
        self._asked[topic] = self._asked.get(topic, 0) + 1
        if self._asked[topic] == 1 and self._pictures is not None:
            self._pictures.setsockopt(zmq.SUBSCRIBE, topic)
        return True

    def _unwatch(self, topic: bytes) -> None:
        self._asked[topic] -= 1
        if not self._asked[topic]:
            del self._asked[topic]
            if self._pictures is not None:
                self._pictures.setsockopt(zmq.UNSUBSCRIBE, topic)

    async def picture(self, stream: str) -> Picture:
        """Return the newest preview of a stream; where nobody has looked for a while the next one is waited for.

        Raises:
            Refusal: none came.
        """
        try:
            with self.watching(frozenset({stream})):
                async with asyncio.timeout(_PREVIEW_SECONDS), self._fresh:
                    await self._fresh.wait_for(lambda: self._has_fresh(stream))
                    return self._previews[stream][1]
        except TimeoutError as error:
            raise Refusal("not_found", f"no picture of {stream} is arriving") from error

    def _has_fresh(self, stream: str) -> bool:
        return stream in self._previews and time.monotonic() - self._previews[stream][0] <= _FRESH_SECONDS

    def _subscriber(self, endpoint: str, *topics: bytes) -> zmq.asyncio.Socket | None:
        if not endpoint:
            return None
        socket = self._context.socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, _HWM)
        socket.setsockopt(zmq.MAXMSGSIZE, _LARGEST_BYTES)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        for topic in topics:
            socket.setsockopt(zmq.SUBSCRIBE, topic)
        socket.connect(endpoint)
        return socket

    async def _listen(self, socket: zmq.asyncio.Socket | None, take: Any) -> None:
        while socket is not None:
            frames = await socket.recv_multipart()
            try:
                await take(frames)
            except (*UNREADABLE, IndexError) as error:
                self._report.say("tap", f"a message of the run cannot be read: {error}")

    async def _take_message(self, frames: list[bytes]) -> None:
        message = decode_header(frames[1])
        self.seen.take(message)
        if isinstance(message, Track):
            self._remember(message)
        pictures = self._kept(message, frames[2:])
        text = encode(message)
        if isinstance(message, Face | Track):
            text = text[:-1] + b',"pictures":' + encode(pictures) + b"}"
        self._fan.send(kind_of(message), message.stream, text)

    async def _take_preview(self, frames: list[bytes]) -> None:
        preview = decode_preview(frames[1])
        stream = preview.stream
        async with self._fresh:
            self._previews[stream] = (time.monotonic(), Picture(frames[2], MEDIA_TYPES["jpeg"]))
            self._previews.move_to_end(stream)
            while len(self._previews) > _MOST_PREVIEWS:
                self._previews.popitem(last=False)
            self._fresh.notify_all()
        names = self._names if _is_part_of(self._named_run, preview.run_id) else {}
        boxes = [
            {
                "x": box.x,
                "y": box.y,
                "width": box.width,
                "height": box.height,
                "track_id": box.track_id,
                "accepted": box.accepted,
                "name": names.get((stream, box.track_id), ""),
            }
            for box in preview.boxes
        ]
        event = {
            "stream": stream,
            "url": stream_picture(stream, preview.captured_ns),
            "width_px": preview.width_px,
            "height_px": preview.height_px,
            "boxes": boxes,
        }
        self._fan.send("preview", stream, encode(event))

    def _remember(self, track: Track) -> None:
        if track.run_id != self._named_run:
            self._names.clear()
            self._named_run = track.run_id
        key = (track.stream, track.track_id)
        self._names[key] = track.candidates[0].identity if track.decision == "known" and track.candidates else ""
        self._names.move_to_end(key)
        while len(self._names) > _MOST_NAMES:
            self._names.popitem(last=False)

    def _kept(self, message: AnyMessage, payloads: list[bytes]) -> dict[str, str]:
        if not isinstance(message, Face | Track):
            return {}
        urls: dict[str, str] = {}
        for part, payload in zip(message.parts, payloads, strict=False):
            if part.codec in MEDIA_TYPES:
                name, urls[part.name] = face_picture(message.run_id, message.stream, message.track_id, message.seq, part.name)
                self.pictures.put(name, Picture(payload, MEDIA_TYPES[part.codec]))
        return urls


def _is_part_of(sent: str, run: str) -> bool:
    """Return whether messages under the one id are of the run with the other one: where publish was replaced and nothing is
    recorded they go on under the run's id with a number behind it."""
    return bool(run) and (sent == run or sent.startswith(f"{run}-"))


def _topics(streams: frozenset[str] | None) -> list[bytes]:
    return [_ALL_PREVIEWS.encode()] if streams is None else [preview_topic(stream).encode() for stream in sorted(streams)]
