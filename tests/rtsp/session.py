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
from tests.rtsp.messages import Request, answer, challenge, description, permitted, read_request
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
    asked_passwords: int = 0
    """Answers 401, for no password or a wrong one."""
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
            status, fields, body = self._answer(request)
            self._counts.answers[request.method, status] += 1
            self._writer.write(answer(request, status, fields, body))
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
        """Return status, header fields and body, and do what the request asks."""
        behaviour = self._behaviour
        status = behaviour.answers.get(request.method, behaviour.answers.get("*", 200))
        if behaviour.credentials and request.method != "OPTIONS" and status == 200 and not permitted(request, behaviour):
            status = 401
        if status == 401:
            self._counts.asked_passwords += 1
            self._counts.refused_passwords += "authorization" in request.fields
            return 401, {"WWW-Authenticate": challenge(behaviour)}, ""
        if status != 200:
            return status, {}, ""
        session = {"Session": f"12345678;timeout={behaviour.session_seconds}"}
        match request.method:
            case "OPTIONS":
                return 200, {"Public": "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, TEARDOWN"}, ""
            case "DESCRIBE":
                return 200, {"Content-Base": f"{request.url.rstrip('/')}/"}, description(self._clip, behaviour)
            case "SETUP":
                return self._set_up(request, session)
            case "PLAY":
                return 200, session | {"Range": "npt=0-"}, ""
            case "TEARDOWN":
                self._counts.teardowns += 1
                self.leave()
        return 200, session, ""

    def _set_up(self, request: Request, session: dict[str, str]) -> tuple[int, dict[str, str], str]:
        if not self.open and not self._room():
            return 453, {}, ""
        transport = request.fields.get("transport", "")
        tcp = re.search(r"interleaved=(\d+)", transport)
        udp = re.search(r"client_port=(\d+)", transport)
        if tcp:
            outlet: Outlet = Interleaved(self._writer, int(tcp[1]))
        elif udp:
            outlet = datagrams = Datagrams(self._writer, int(udp[1]), self._behaviour)
            transport += f";server_port={datagrams.port}-{datagrams.port + 1}"
        else:
            return 461, {}, ""
        self._outlets[request.url.rstrip("/").rpartition("/")[2]] = outlet
        if not self.open:
            self.open = True
            self._counts.sessions_opened += 1
            self._counts.sessions_open += 1
        return 200, session | {"Transport": transport}, ""

    def _count_picture(self) -> None:
        self._counts.pictures += 1
        self._changed()

    def leave(self) -> None:
        """Give the session's place back."""
        if self.open:
            self.open = False
            self._counts.sessions_open -= 1
            self._changed()
