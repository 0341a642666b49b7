"""A bridge as a whole: an intake, a buffer, a sender."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict

import msgspec

from engine.bridge.buffer import Buffer
from engine.bridge.intake import Intake, Site
from engine.bridge.link import OpenLink
from engine.bridge.sender import Sender
from engine.errors import ConfigError

_SHOW_SECONDS = 1.0
_TURN_SECONDS = 0.02
_JOIN_SECONDS = 12.0
"""An intake that waits for a replay service ends within that."""


class BridgeStatus(msgspec.Struct, kw_only=True):
    """How a bridge stands; counts are totals since it was started."""

    link: str
    """``up`` or ``down``."""
    reason: str
    """Why it is down."""
    received: int
    replayed: int
    """Of these, what was missed at first."""
    missed: int
    """Messages that were sent and never came, also not by replay; gap messages say so."""
    malformed: int
    published: int
    """Messages that the broker has stored; ``repeated``: that it had already."""
    published_bytes: int
    repeated: int
    refused: int
    """Times that it did not take a message, which waits and is sent again."""
    gaps: int
    """Gap messages that it has stored."""
    parts_left_out: int
    """Pictures and vectors that were not to leave, or too large for the broker."""
    waiting: int
    """Messages in the buffer."""
    waiting_bytes: int
    limit_bytes: int
    waits_seconds: float
    """Since the oldest of them came."""
    gave_way: int
    """Messages that went as the buffer was full."""
    too_large: int
    damaged: int
    links: int
    """Times that a link was opened."""
    window_seconds: float
    """For so long the broker knows what it has; 0: it does not forget."""


class Bridge:
    """Runs from ``run`` until it is stopped."""

    def __init__(self, site: Site, buffer: Buffer, open_link: OpenLink, tell: Callable[[str], None]) -> None:
        """Connect to the site; inside an event loop.

        Args:
            site: what is read.
            buffer: open; whoever made it closes it.
            open_link: opens a link to the broker.
            tell: is told, in a sentence, what happens.

        Raises:
            ConfigError: the endpoint or the key is not usable.
        """
        loop = asyncio.get_running_loop()
        self._buffer, self._tell = buffer, tell
        self._stops = 0
        self._stirred = asyncio.Event()
        self._sender = Sender(buffer, open_link, tell)

        def ended() -> None:
            loop.call_soon_threadsafe(self._stirred.set)

        self._intake = Intake(site, buffer, ended, tell)

    def stop(self) -> None:
        """Receive no more, send what waits, end; asked for twice: end at once. For the event loop's thread."""
        self._stops += 1
        self._stirred.set()

    async def run(self, show: Callable[[BridgeStatus], None], drain_seconds: float) -> None:
        """Carry messages until ``stop``.

        Args:
            show: is shown how it stands, each second and at the end.
            drain_seconds: longest time for what still waits when it is stopped.

        Raises:
            FatalError: the publisher cannot be read, or the buffer.
            ConfigError: the broker never will take what is sent.
        """
        sending = asyncio.create_task(self._sender.run())
        sending.add_done_callback(lambda _: self._stirred.set())
        self._intake.start()
        try:
            while not self._stops and not sending.done() and self._intake.is_alive():
                show(self.status())
                self._stirred.clear()
                try:
                    async with asyncio.timeout(_SHOW_SECONDS):
                        await self._stirred.wait()
                except TimeoutError:
                    continue
            self._intake.stop()
            await asyncio.to_thread(self._intake.join, _JOIN_SECONDS)
            await self._drain(sending, drain_seconds)
        finally:
            while not sending.done():  # nats-py can lose a cancellation
                sending.cancel()
                await asyncio.wait([sending], timeout=_TURN_SECONDS)
        show(self.status())
        ended = None if sending.cancelled() else sending.exception()
        if isinstance(ended, ConfigError) and self._stops and not self._buffer.waiting:
            ended = None  # all was sent: that the broker takes no more does not matter now
        for failure in (ended, self._intake.failure):
            if failure is not None:
                raise failure

    async def _drain(self, sending: asyncio.Task[None], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._intake.is_alive() and not sending.done():  # else it commits, or nothing is sent
            self._buffer.commit()
            if not self._buffer.waiting:
                return
            if time.monotonic() > deadline or self._stops > 1:
                break
            await asyncio.sleep(_TURN_SECONDS)
        self._tell(
            f"{self._buffer.waiting:,} messages wait in {self._buffer.folder}: they will be sent when it is started again"
        )

    def status(self) -> BridgeStatus:
        """Return how it stands."""
        buffer, sender, sent = self._buffer, self._sender, asdict(self._sender.sent)
        counted = self._intake.counters
        left_out = sent.pop("parts_left_out") + counted.pop("parts_left_out")
        since_ns = buffer.waits_since_ns()
        return BridgeStatus(
            link="down" if sender.down else "up", reason=sender.down, window_seconds=sender.window_seconds,
            waiting=buffer.waiting, waiting_bytes=buffer.waiting_bytes, limit_bytes=buffer.limit_bytes,
            waits_seconds=round((time.time_ns() - since_ns) / 1e9, 1) if since_ns else 0.0, gave_way=buffer.gave_way,
            parts_left_out=left_out, **counted, **sent,
        )  # fmt: skip
