"""From a site's socket to the buffer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.bridge.buffer import Buffer
from engine.bridge.names import Key
from engine.bridge.packing import ALL, Wishes, packed
from engine.client.received import Gap, Received
from engine.client.sequence import Position
from engine.client.subscriber import Subscriber
from engine.contracts.messages import kind_of
from engine.contracts.replay import Kind

_COMMIT_SECONDS = 0.02
_COMMIT_BYTES = 8 << 20
"""What has come is on the disk after so long, or so much."""
_SLOW_COMMIT_SECONDS = 0.2
"""On a slow disk after as long as the last time took, at most."""
_NO_ROOM_SECONDS = 0.1
_TEND_SECONDS = 1.0
_LAST_SECONDS = 2.0
"""For what is under way when the bridge is stopped."""


@dataclass(frozen=True)
class Site:
    """What is read."""

    endpoint: str
    replay: str | None = None
    key: Path | None = None
    socket: Literal["sub", "pull"] = "sub"
    kinds: tuple[Kind, ...] = ("face", "track", "stream", "end")
    wishes: Wishes = ALL


class Intake(threading.Thread):
    """Receives from construction until ``stop``, or until ``failure``."""

    def __init__(self, site: Site, buffer: Buffer, on_end: Callable[[], None], tell: Callable[[str], None]) -> None:
        """Connect; ``start`` begins to receive.

        Args:
            site: what is read, from where the buffer has come to.
            buffer: takes it; committed here alone while this runs.
            on_end: is called, in this thread, when it ends.
            tell: is told, in a sentence and in this thread, why nothing comes.

        Raises:
            ConfigError: an endpoint or the key is not usable.
        """
        super().__init__(name="intake", daemon=True)
        self._buffer, self._wishes, self._on_end = buffer, site.wishes, on_end
        self._waits = site.socket == "pull"
        self._stop_at: float | None = None
        self._commit_at = 0.0
        self._tend_at = 0.0
        self.failure: Exception | None = None
        """What ended it."""
        self.missed = 0
        """Messages that came neither by themselves nor by replay."""
        self.parts_left_out = 0
        # Of a run that is over before this begins nothing comes by itself: its replay service is asked.
        position = buffer.position() or (Position("") if site.replay else None)
        self._subscriber = Subscriber(
            site.endpoint, socket=site.socket, kinds=site.kinds, replay=site.replay, key=site.key, follow=True,
            timeout_seconds=_COMMIT_SECONDS, max_age_seconds=None, resume=position, refill_all=True, tell=tell,
        )  # fmt: skip

    @property
    def counters(self) -> dict[str, int]:
        """Totals since the start: ``received``, of these ``replayed``, ``malformed``, ``missed``, ``parts_left_out``."""
        counted = self._subscriber.counters
        return {
            "received": counted["messages"],
            "replayed": counted["replayed"],
            "malformed": counted["malformed"],
            "missed": self.missed,
            "parts_left_out": self.parts_left_out,
        }

    def stop(self) -> None:
        """Ask it to end soon. What waits in a ``pull`` socket would be lost; a ``pub`` one goes on without us anyway."""
        self._stop_at = time.monotonic() + (_LAST_SECONDS if self._waits else 0.0)

    def run(self) -> None:
        """See the class."""
        try:
            with self._subscriber:
                while self._stop_at is None:
                    self._turn()
                self._commit()
        except Exception as error:
            self.failure = error
        finally:
            self._on_end()

    def _turn(self) -> None:
        """Take what comes until nothing does."""
        try:
            for item in self._subscriber:
                self._take(item)
                if time.monotonic() >= self._commit_at or self._buffer.uncommitted_bytes >= _COMMIT_BYTES:
                    self._commit()
                if self._is_over(item):
                    return
        except TimeoutError:
            self._commit()

    def _take(self, item: Received | Gap) -> None:
        if isinstance(item, Gap):
            self.missed += len(item)
            self._buffer.put(Key(item.run_id, item.stream, item.kind, item.first_seq, item.last_seq), b"", "missed")
            return
        message = item.message
        body, left_out = packed(item, self._wishes)
        self.parts_left_out += left_out
        self._buffer.put(Key(message.run_id, message.stream, kind_of(message), message.seq, message.seq), body)

    def _is_over(self, item: Received | Gap) -> bool:
        """Whether to stop behind this: not among messages that were refilled, as the next time they are not asked for again."""
        came_by_itself = isinstance(item, Received) and not item.replayed
        return self._stop_at is not None and came_by_itself and time.monotonic() >= self._stop_at

    def _commit(self) -> None:
        """Write down what has come; while there is no room, nothing more is received."""
        begun = time.monotonic()
        while not self._buffer.commit() or (self._waits and self._buffer.is_full):
            if self._stop_at is not None and time.monotonic() >= self._stop_at:
                break
            time.sleep(_NO_ROOM_SECONDS)
        now = time.monotonic()
        self._commit_at = now + min(max(_COMMIT_SECONDS, now - begun), _SLOW_COMMIT_SECONDS)
        if now >= self._tend_at:
            self._tend_at = now + _TEND_SECONDS
            self._buffer.tend()
