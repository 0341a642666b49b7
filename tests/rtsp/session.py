"""One client's RTSP connection with the scripted server."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.rtsp.clips import Clip
from tests.rtsp.faults import Fault, Over
from tests.rtsp.messages import Request, answer, description, permitted, read_request, spoken
from tests.rtsp.script import Behaviour
from tests.rtsp.sender import Datagrams, Interleaved, Outlet, Sender


@dataclass
class Counts:
    """What the server saw; they only grow, except ``sessions_open``."""

    sessions_opened: int = 0
    sessions_open: int = 0
    """Opened, and neither torn down nor given up with their connection."""
    teardowns: int = 0
    refused_passwords: int = 0
    """Requests with a wrong password, those without one not counted."""
    pictures: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By method and status."""
    requests: Counter[str] = field(default_factory=Counter)
    """By method, answered or not."""


class Session:
    """Answers requests by the script, and sends pictures after PLAY."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        clip: Clip,
        behaviour: Behaviour,
        counts: Counts,
        room: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self.injected: deque[Fault] = deque()
        self._reader, self._writer = reader, writer
        self._clip = behaviour.clip or clip
        self._behaviour, self._counts = behaviour, counts
        self._dialect = spoken(behaviour)
        self._url = ""
        """That was described."""
        self._track = ""
        """URL of the video that was set up."""
        self._pictures = 0
        self._early = asyncio.Event()
        self._room, self._changed = room, changed
        self._outlets: dict[str, Outlet] = {}
        """By track, as ``video``."""
        self._started = asyncio.Event()
        self.open = False
        """A session of this connection takes a place in the camera."""

    async def run(self) -> None:
        """Serve until the client leaves or the script ends the connection."""
        tasks = [asyncio.ensure_future(self._requests()), asyncio.ensure_future(self._play())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            with contextlib.suppress(Over):
                done.pop().result()
        finally:
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:  # the server may be closed, which cancels this, just when the client has left
                for outlet in self._outlets.values():
                    outlet.close()

    async def _requests(self) -> None:
        """Answer requests until the session is torn down."""
        while True:
            request = await read_request(self._reader)
            self._counts.requests[request.method] += 1
            self._changed()
            if {request.method, "*"} & self._behaviour.silent:
                continue
            status, words, body = self._answer(request)
            if status == 200 and request.method == "PLAY" and self._dialect.early:
                self._started.set()
                await self._early.wait()
            stray = self._dialect.stray if sum(self._counts.answers.values()) else b""
            self._counts.answers[request.method, status] += 1
            self._writer.write(stray + answer(self._dialect, self._behaviour, request, status, words, body))
            await self._writer.drain()
            self._changed()
            if status == 200 and request.method == "PLAY":
                self._started.set()
            if status == 200 and request.method == "TEARDOWN" and self._behaviour.teardown_closes:
                return

    async def _play(self) -> None:
        await self._started.wait()
        if "video" not in self._outlets:
            await asyncio.Event().wait()
        outlet = self._outlets["video"]
        await Sender(self._clip, self._behaviour, outlet, self.injected, self._count_picture).run()

    def _answer(self, request: Request) -> tuple[int, dict[str, str], str]:
        """Return status, words of the header and body, and do what the request asks."""
        status = self._status(request)
        if status == 401:
            self._counts.refused_passwords += "authorization" in request.fields
        if status != 200:
            return status, {}, ""
        match request.method:
            case "DESCRIBE":
                self._url = request.url
                return 200, {}, description(request.url, self._clip, self._dialect, self._behaviour)
            case "SETUP":
                return *self._set_up(request), ""
            case "PLAY":
                return 200, {"track": self._track, "seq": "1", "rtptime": str(self._behaviour.first_timestamp)}, ""
            case "TEARDOWN":
                self._counts.teardowns += 1
                self.leave()
        return 200, {}, ""

    def _status(self, request: Request) -> int:
        behaviour, method = self._behaviour, request.method
        status = behaviour.answers.get(method, behaviour.answers.get("*", 200))
        if status != 200:
            return status
        if behaviour.credentials and method != "OPTIONS" and not permitted(request, self._dialect, behaviour):
            return 401
        if behaviour.sdp == "garbage":
            return 200
        if method == "SETUP":
            return 200 if request.url in self._dialect.tracks(self._url) else 404
        if method == "PLAY":
            return 200 if request.url.rstrip("/") == self._dialect.aggregate(self._url).rstrip("/") else 404
        return 200

    def _set_up(self, request: Request) -> tuple[int, dict[str, str]]:
        if not self.open and not self._room():
            return 453, {}
        transport = request.fields.get("transport", "")
        tcp = re.search(r"interleaved=(\d+-\d+)", transport)
        udp = re.search(r"client_port=(\d+)(?:-\d+)?", transport)
        words = {}
        channels = self._dialect.channels or (tcp[1] if tcp else "")
        if tcp:
            outlet: Outlet = Interleaved(self._writer, int(channels.partition("-")[0]))
        elif udp:
            outlet = datagrams = Datagrams(self._writer, int(udp[1]), self._behaviour)
            words = {"ports": udp[0], "server_ports": f"server_port={datagrams.port}-{datagrams.port + 1}"}
        else:
            return 461, {}
        media = self._dialect.tracks(self._url).get(request.url, "unknown")
        self._outlets[media] = outlet
        if media == "video":
            self._track = request.url
        if not self.open:
            self.open = True
            self._counts.sessions_opened += 1
            self._counts.sessions_open += 1
        words |= {"transport": transport, "channels": channels, "client": self._writer.get_extra_info("peername")[0]}
        return 200, words

    def _count_picture(self) -> None:
        self._counts.pictures += 1
        self._pictures += 1
        if self._pictures == self._dialect.early:
            self._early.set()
        self._changed()

    def leave(self) -> None:
        """Give the session's place back."""
        if self.open:
            self.open = False
            self._counts.sessions_open -= 1
            self._changed()
