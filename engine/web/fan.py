"""Events to many browsers: each has a bounded queue of its own, and one that is too slow loses events, which it is told."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from engine.web.crowd import crowding
from engine.web.problems import Refusal

NEWEST_ONLY = frozenset({"preview", "stats", "status"})
"""Of these an older one is worth nothing once there is a newer one of the same stream."""
KINDS = ("face", "track", "stream", "stats", "preview", "status", "end")
MOST_CLIENTS = 64
"""A page of the console has two."""
_QUEUE, _QUEUE_BYTES = 512, 2 << 20
_KEPT, _KEPT_BYTES = 1024, 4 << 20


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as it is sent to everybody."""

    number: int
    """Counts from 1; 0: it is not kept for those who come back."""
    kind: str
    stream: str
    text: bytes


class Client:
    """One browser's queue.

    Args:
        kinds: of events that it wants.
        streams: whose it wants; None: of all.
        name: of who listens.
    """

    def __init__(self, kinds: Collection[str] = KINDS, streams: Collection[str] | None = None, name: str = "") -> None:
        self.name = name
        self.kinds, self.streams = frozenset(kinds), None if streams is None else frozenset(streams)
        self._queue: OrderedDict[object, Event] = OrderedDict()
        self._size_bytes = 0
        self._lost = 0
        self.lost = 0
        """Events that it was too slow for, since it joined."""
        self.is_over = False
        """The server ends."""
        self._news = asyncio.Event()

    def wants(self, event: Event) -> bool:
        """Return whether an event is for this one."""
        return event.kind in self.kinds and (self.streams is None or not event.stream or event.stream in self.streams)

    def offer(self, event: Event) -> None:
        """Queue an event; where there is no room the oldest are lost."""
        key = (event.kind, event.stream) if event.kind in NEWEST_ONLY else event.number
        if (before := self._queue.pop(key, None)) is not None:
            self._size_bytes -= len(before.text)
        self._queue[key] = event
        self._size_bytes += len(event.text)
        while len(self._queue) > _QUEUE or self._size_bytes > _QUEUE_BYTES:
            _, gone = self._queue.popitem(last=False)
            self._size_bytes -= len(gone.text)
            self._lost += 1
            self.lost += 1
        self._news.set()

    def lose(self, events: int) -> None:
        """Note that events are gone for this one; -1: nobody knows how many."""
        self._lost += events if events >= 0 else 1
        self._news.set()

    def end(self) -> None:
        """Let the answer end."""
        self.is_over = True
        self._news.set()

    async def next(self, seconds: float) -> bytes:
        """Return what is to be sent next; nothing where nothing came for so long."""
        if not self._queue and not self._lost and not self.is_over:
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return b""
        if self.is_over:
            return b""
        if self._lost:
            lost, self._lost = self._lost, 0
            return b'event: lost\ndata: {"events":%d}\n\n' % lost
        _, event = self._queue.popitem(last=False)
        self._size_bytes -= len(event.text)
        return event.text


class Fan:
    """Hands events to all who listen, and keeps the newest for those whose connection broke."""

    def __init__(self) -> None:
        self._epoch = secrets.token_hex(4)
        """Of this process: after a restart the numbers begin again."""
        self._number = 0
        self._clients: dict[Client, None] = {}
        """The longest there first."""
        self._lost_by_gone = 0
        self._kept: deque[Event] = deque()
        self._kept_bytes = 0

    @property
    def clients(self) -> frozenset[Client]:
        return frozenset(self._clients)

    @property
    def lost(self) -> int:
        """Events that listeners were too slow for, also those who have left."""
        return self._lost_by_gone + sum(client.lost for client in self._clients)

    def send(self, kind: str, stream: str, data: bytes) -> None:
        """Hand out an event.

        Args:
            kind: the event's name.
            stream: whose it is; empty: of none.
            data: JSON, without line breaks.
        """
        if kind in NEWEST_ONLY:
            event = Event(0, kind, stream, b"event: %b\ndata: %b\n\n" % (kind.encode(), data))
        else:
            self._number += 1
            head = b"event: %b\nid: %b-%d\ndata: " % (kind.encode(), self._epoch.encode(), self._number)
            event = Event(self._number, kind, stream, head + data + b"\n\n")
            self._keep(event)
        for client in self._clients:
            if client.wants(event):
                client.offer(event)

    def join(self, client: Client, last_id: str = "") -> None:
        """Let a browser listen, and give it again what it missed. Where too many listen, one of whoever has the most ends.

        Args:
            client: its queue.
            last_id: of the last event that it had; empty: it had none.

        Raises:
            Refusal: too many listen already, and nobody has more than this one.
        """
        if len(self._clients) >= MOST_CLIENTS and not self._has_made_room(client.name):
            raise Refusal("busy", f"{MOST_CLIENTS} are already listening: close a page", headers={"Retry-After": "10"})
        if last_id:
            self._give_missed(client, last_id)
        self._clients[client] = None

    def leave(self, client: Client) -> None:
        """Forget a browser."""
        if client in self._clients:
            del self._clients[client]
            self._lost_by_gone += client.lost

    def close(self) -> None:
        """Let all answers end."""
        for client in self._clients:
            client.end()

    def _has_made_room(self, name: str) -> bool:
        crowd = crowding((client.name for client in self._clients), beside=name)
        if crowd is None:
            return False
        longest = next(client for client in self._clients if client.name == crowd)
        longest.end()
        self.leave(longest)
        return True

    def _give_missed(self, client: Client, last_id: str) -> None:
        epoch, _, number = last_id.partition("-")
        if (
            epoch != self._epoch
            or not number.isascii()
            or not number.isdigit()
            or len(number) > 18
            or int(number) > self._number
        ):
            client.lose(-1)
            return
        first_kept = self._kept[0].number if self._kept else self._number + 1
        if int(number) + 1 < first_kept:
            client.lose(first_kept - int(number) - 1)
        for event in self._kept:
            if event.number > int(number) and client.wants(event):
                client.offer(event)

    def _keep(self, event: Event) -> None:
        self._kept.append(event)
        self._kept_bytes += len(event.text)
        while len(self._kept) > _KEPT or self._kept_bytes > _KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popleft().text)


encode = msgspec.json.Encoder().encode
"""JSON as msgspec writes it has no line breaks outside of strings, and escapes those within."""
