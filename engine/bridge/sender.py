"""From the buffer to the broker: only what the broker has stored is removed from the buffer.

What was in flight when a link broke is resent over the next one, under the same id. One link keeps the order: a consumer sees
the numbers of a series out of order only where a link broke.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.bridge.buffer import Buffer
from engine.bridge.entries import Entry
from engine.bridge.link import Answer, Link, OpenLink, Outgoing
from engine.bridge.packing import fitted, packed_gap
from engine.errors import LinkError

_MOST = 512
_MOST_BYTES = 16 << 20
"""Under way at a time."""
_READ, _READ_BYTES = 64, 4 << 20
"""Read from the buffer at a time."""
_ANSWER_SECONDS = 10.0
"""Without any answer the link counts as broken."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 15.0


@dataclass
class Sent:
    """Totals since the start."""

    published: int = 0
    """Messages that the broker has stored."""
    published_bytes: int = 0
    repeated: int = 0
    """Messages that the broker had already."""
    refused: int = 0
    """Times that the broker did not take a message; it waits, and is sent again."""
    gaps: int = 0
    """Gap messages that it has stored."""
    parts_left_out: int = 0
    """Parts of messages that were larger than it takes."""
    too_large: int = 0
    """Messages that do not fit even so; gaps stand for them."""
    damaged: int = 0
    """Messages that could not be read back from the buffer; likewise."""
    links: int = 0
    """Times that a link was opened."""


class Sender:
    """Keeps a link open and sends what is in a buffer; for one event loop."""

    def __init__(
        self,
        buffer: Buffer,
        open_link: OpenLink,
        tell: Callable[[str], None],
        *,
        answer_seconds: float = _ANSWER_SECONDS,
        chance: random.Random | None = None,
    ) -> None:
        """Make one; ``run`` sends.

        Args:
            buffer: read and acknowledged here, and committed by whoever puts.
            open_link: opens a link.
            tell: is told that the link is up or down, and why.
            answer_seconds: longest silence of the broker while it has something to answer.
            chance: of the pauses between attempts.
        """
        self._buffer, self._open_link, self._tell = buffer, open_link, tell
        self._answer_seconds, self._chance = answer_seconds, chance or random.Random()
        self._stirred = asyncio.Event()
        self._under_way: dict[int, Entry] = {}
        self._bytes = 0
        self._answered_at = 0.0
        self._refused = ""
        self.sent = Sent()
        self.down = "not connected yet"
        """Why there is no link; empty: there is one."""
        self.window_seconds = 0.0
        """For which the broker knows what it has."""
        loop = asyncio.get_running_loop()

        def heard() -> None:
            loop.call_soon_threadsafe(self._stirred.set)

        buffer.heard = heard

    async def run(self) -> None:
        """Send for ever: cancel it. What breaks the link is told, and another one opened.

        Raises:
            OutputError: the buffer cannot be read.
            ConfigError: the broker never will take what is sent.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            stored = self.sent.published + self.sent.repeated
            try:
                await self._one_link()
            except LinkError as error:
                if str(error) != self.down:
                    self._tell(f"the link is down: {error}; what comes waits in {self._buffer.folder}")
                self.down = str(error)
            if self.sent.published + self.sent.repeated > stored:
                pause = _FIRST_PAUSE_SECONDS
            # Not all bridges of all sites at the same moment, after an outage.
            await asyncio.sleep(pause * self._chance.uniform(0.5, 1.0))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _one_link(self) -> None:
        self._under_way.clear()
        is_doubtful, self._bytes, self._refused = bool(self._refused), 0, ""
        link = await self._open_link(self._answer, self._stirred.set, self._buffer.marks())
        try:
            self.sent.links += 1
            self.window_seconds = link.window_seconds
            if link.marks:
                self._buffer.set_marks(link.marks)
            if not is_doubtful:  # what was refused before may be again
                self._is_up()
            await self._send_all(link)
        finally:
            await link.close()

    async def _send_all(self, link: Link) -> None:
        """Send what there is and what comes, until the link breaks."""
        behind: int | None = None
        changes = self._buffer.changes
        self._answered_at = time.monotonic()
        while True:
            self._stirred.clear()
            if changes != self._buffer.changes:  # gaps came in front
                behind, changes = None, self._buffer.changes
            entries = self._buffer.after(behind, _READ, _READ_BYTES) if self._has_room() else []
            for entry in entries:
                behind = entry.number
                if entry.number not in self._under_way:
                    await self._send(link, entry)
                if link.broken:
                    break
            if failure := link.broken or (LinkError(self._refused) if self._refused else None):
                raise failure
            if not entries:
                await self._rest()

    def _is_up(self) -> None:
        self.down = ""
        self._tell(f"the link is up, {self._buffer.waiting:,} messages wait")

    def _has_room(self) -> bool:
        return len(self._under_way) < _MOST and self._bytes < _MOST_BYTES

    async def _rest(self) -> None:
        """Wait until something comes, from either side.

        Raises:
            LinkError: the broker is silent.
        """
        left = self._answered_at + self._answer_seconds - time.monotonic() if self._under_way else None
        try:
            async with asyncio.timeout(left):  # not wait_for, which can lose a cancellation before Python 3.12
                await self._stirred.wait()
        except TimeoutError:
            if self._under_way and time.monotonic() - self._answered_at >= self._answer_seconds:
                raise LinkError(f"the broker has not answered for {self._answer_seconds:.0f} s") from None

    async def _send(self, link: Link, entry: Entry) -> None:
        missing = entry.missing
        body, left_out = (None, 0) if missing else fitted(entry.body, link.max_bytes)
        if body is None:
            missing = missing or "too_large"
            body = packed_gap(entry.key, missing)
        self.sent.parts_left_out += left_out
        self.sent.too_large += missing == "too_large"
        self.sent.damaged += missing == "damaged"
        if not self._under_way:
            self._answered_at = time.monotonic()
        self._under_way[entry.number] = entry._replace(missing=missing)
        self._bytes += len(entry.body)
        await link.publish(Outgoing(entry.number, entry.key, bool(missing), body))

    def _answer(self, answer: Answer) -> None:
        self._stirred.set()
        self._answered_at = time.monotonic()
        entry = self._under_way.pop(answer.number, None)
        if entry is None:
            return
        self._bytes -= len(entry.body)
        if answer.refused:
            self.sent.refused += 1
            self._refused = f"the broker refuses messages: {answer.refused}"
            return
        if self.down:
            self._is_up()
        self._buffer.acknowledge(entry, answer.mark)
        if answer.repeated:
            self.sent.repeated += 1
        elif entry.missing:
            self.sent.gaps += 1
        else:
            self.sent.published += 1
            self.sent.published_bytes += len(entry.body)
