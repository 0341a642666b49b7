"""Faces on their way through enhancement: they are enlarged in threads, some together, and come out in order with the events
between them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from engine.contracts.faces import FaceCrop, TrackClosed
from engine.contracts.rejected import TrackRejected
from engine.contracts.streams import Checkpoint, InputFile, StreamChanged
from engine.enhancement.enhancement import Enhancement, Said
from engine.enhancement.enlarging import Enlarged
from engine.runtime.batcher import Batcher
from engine.runtime.ordered_pool import OrderedPool
from engine.workers.links import Outgoing, outgoing

_PICTURE_SECONDS = 1.0
"""So long pictures of tracks wait for a moment without a face; then one is made between faces."""
Event = StreamChanged | InputFile | Checkpoint
Passed = TrackClosed | TrackRejected | Event
"""Waits until the faces before it are done."""


class _Forget:
    """What came before is of another perceive."""


class FaceLine:
    """Keeps the threads of a core fed.

    Args:
        core: what does the work.
        batch: faces that are enlarged together at most.
        max_wait_seconds: how long a face waits for others.
        threads: batches that are enlarged at the same time.
        behind_seconds: so long all threads must have had something to do before more waits than can be done.
    """

    def __init__(
        self, core: Enhancement, batch: int, max_wait_seconds: float, threads: int, behind_seconds: float = 0.5
    ) -> None:
        self._core, self._threads, self._behind_seconds = core, threads, behind_seconds
        self._had_room = time.monotonic()
        """When a thread had nothing to do last."""
        self._pictured = time.monotonic()
        """When no picture was due last, or one was made."""
        self._batcher: Batcher[FaceCrop] = Batcher(batch, max_wait_seconds)
        self.pool: OrderedPool[list[FaceCrop] | Passed | _Forget, list[FaceCrop], Enlarged] = OrderedPool(
            self._enlarge, threads, "enhance"
        )
        """Of the threads; to be waited for."""
        self.room = batch * self.pool.capacity
        """Items that keep the threads busy; more than these only wait."""

    def __len__(self) -> int:
        return len(self._batcher) + len(self.pool)

    @property
    def seconds_left(self) -> float | None:
        """How long faces may still wait for others to be enlarged with them, and pictures for a moment without a face; None if
        none do."""
        now = time.monotonic()
        left = self._batcher.seconds_left(now)
        if not self._core.has_picture_due:
            return left
        picture = max(0.0, self._pictured + _PICTURE_SECONDS - now) if len(self) else 0.0
        return picture if left is None else min(left, picture)

    def put(self, link: FaceCrop | Passed) -> None:
        """Take the next of what there is to do."""
        self._look_for_room()
        if isinstance(link, FaceCrop):
            if (batch := self._batcher.add(link, time.monotonic())) is not None:
                self.pool.put(batch, batch)
        else:
            self.close_batch()
            self.pool.put(link, None)

    def close_batch(self) -> None:
        """Let faces wait for no others."""
        if len(self._batcher):
            batch = self._batcher.close()
            self.pool.put(batch, batch)

    def forget_tracks(self) -> None:
        """Perceive was restarted and follows other tracks now: the ones before are over, or found again."""
        self.close_batch()
        self.pool.put(_Forget(), None)

    def flow(self) -> Iterator[tuple[int, list[Outgoing | Event]]]:
        """Give out how many items are done with, and what there is to say of them; no step takes longer than a batch, or than a
        picture of a track, of which one is made at most: a face that comes meanwhile waits for no second one."""
        if (batch := self._batcher.due(time.monotonic())) is not None:
            self.pool.put(batch, batch)
        while (done := self.pool.take_done()) is not None:
            self._look_for_room()
            self._core.note_load(is_behind=time.monotonic() - self._had_room > self._behind_seconds)
            yield from self._finish(*done)
        now = time.monotonic()
        if not self._core.has_picture_due:
            self._pictured = now
        elif not len(self) or now - self._pictured >= _PICTURE_SECONDS:
            yield 0, _messages(self._core.picture_due())
            self._pictured = time.monotonic()

    def compare_again(self) -> list[Outgoing | Event]:
        """Return what a change of the gallery makes of the tracks that go on; nothing where there is none."""
        return _messages(self._core.compare_again())

    def close(self) -> None:
        """End the threads."""
        self.pool.close()

    def _look_for_room(self) -> None:
        if len(self.pool) < self._threads:
            self._had_room = time.monotonic()

    def _enlarge(self, batches: Sequence[list[FaceCrop]]) -> list[Enlarged]:
        """Runs in a thread of the pool."""
        done = []
        for crops in batches:
            _mark(crops)
            done.append(self._core.enlarge(crops, hurry=len(self.pool) == 1))
            _mark(crops)
        return done

    def _finish(
        self, tag: list[FaceCrop] | Passed | _Forget, enlarged: Enlarged | None
    ) -> Iterator[tuple[int, list[Outgoing | Event]]]:
        match tag:
            case TrackClosed():
                yield 1, _messages([self._core.close_track(tag)])
            case TrackRejected():
                yield 1, _messages(self._core.show_rejected(tag))
            case _Forget():
                for track in self._core.forget_recordings():  # one by one, as each may take as long as a picture does
                    yield 0, _messages([self._core.close_track(track)])
            case StreamChanged(is_last=True):
                yield 1, [self._core.close_stream(tag)]
            case StreamChanged() | InputFile() | Checkpoint():
                yield 1, [tag]
            case crops:
                assert enlarged is not None
                said = self._core.finish(crops, enlarged)
                _mark(crops)
                yield len(crops), _messages(said)


def _mark(crops: Sequence[FaceCrop]) -> None:
    for crop in crops:
        crop.mark()


def _messages(said: list[Said]) -> list[Outgoing | Event]:
    return [outgoing(one.body, one.payloads) for one in said]
