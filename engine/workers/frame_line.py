"""Frames on their way through perception: they wait in their stream's turn, are looked at in threads, and come out in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Set

from engine.config import Config
from engine.contracts.frames import Frame, Planes
from engine.contracts.streams import InputFile, StreamChanged
from engine.errors import WorkerError
from engine.perception.detecting import Found
from engine.perception.perception import Item, Perception
from engine.runtime.cores import usable_cores
from engine.runtime.fair_queue import FairQueue
from engine.runtime.mailbox import Sender
from engine.runtime.ordered_pool import OrderedPool
from engine.workers.frame_sources import FrameSource, FrameSources, Ordered
from engine.workers.held_frames import HeldFrames
from engine.workers.links import FrameReady

_Waiting = tuple[FrameSource, Ordered]
_Done = tuple[_Waiting, Found | None]
_GRACE_SECONDS = 0.5
"""So much longer than its decoder a frame waits for the main stream's picture, should the decoder hang."""


class FrameLine:
    """Keeps the detection threads fed and the core told.

    Args:
        core: what does the work.
        config: how many frames of a camera may wait, and how long; how many calls of the detector there are at the same time,
            each of as many frames as are worth giving together.
        recordings: see ``FrameSources``.
        drop: is told the stream and the cause of each frame that gave way.
        show: is given each frame that was detected, for those who watch, while its pixels can be read.
    """

    def __init__(
        self,
        core: Perception,
        config: Config,
        recordings: Set[str],
        drop: Callable[[str, str], None],
        show: Callable[[Frame], None] | None = None,
    ) -> None:
        self._core, self._drop, self._show = core, drop, show
        self.sources = FrameSources(recordings, self._put)
        """Where the frames come from."""
        live, calls = config.live, config.detect.workers or usable_cores()
        self._waiting: FairQueue[_Waiting] = FairQueue(live.waiting_frames, live.budget_ms / 1000, self._give_way)
        self.pool: OrderedPool[_Waiting, Planes, Found] = OrderedPool(core.detect, calls, "detect", core.together)
        """Of the detection threads; to be waited for."""
        self._held: HeldFrames[_Done] = HeldFrames(lambda done: done[0][1].stream, self._awaits_main)
        self._main_seconds = live.crop_wait_ms / 1000 + _GRACE_SECONDS

    def __len__(self) -> int:
        return len(self._waiting) + len(self.pool) + len(self._held)

    def reads(self, sender: Sender, *, backed_up: bool) -> bool:
        """Whether a decoder is read now: one of recordings is not while their frames wait here, or their faces behind this
        (``backed_up``), which holds it back."""
        return self.sources.is_live(sender) or not (backed_up or len(self._waiting) >= self.pool.capacity)

    def _put(self, source: FrameSource, link: Ordered) -> None:
        """Let an item wait its turn; a camera's frame gives way when it is late."""
        since = link.time.arrived_seconds if isinstance(link, FrameReady) and link.live else None
        self._waiting.put(link.stream, (source, link), since)

    def flow(self) -> Iterator[Item | InputFile]:
        """Start and finish as much as can be done now, and give out what comes of it, in the order of each stream."""
        while True:
            started = self._start_next()
            if (done := self._next_done()) is None:
                if not started:
                    return
                continue
            (source, link), found = done
            if isinstance(link, FrameReady):
                yield from self._finish_frame(source, link, found)
            elif isinstance(link, StreamChanged):
                yield from self._core.change(link, live=source.live)
            else:
                yield link
            self.sources.finished(source)

    def close(self) -> None:
        """End the threads, and free what the decoders have left."""
        self.pool.close()
        self.sources.close()

    def _next_done(self) -> _Done | None:
        """Return the next item that has been looked at and waits for nothing."""
        if (held := self._held.take()) is not None:
            return held
        while (done := self.pool.take_done()) is not None:
            if not self._held.hold(done):
                return done
        return None

    def _awaits_main(self, done: _Done) -> bool:
        """Whether there is a face in it, and the main stream's picture may still come; its decoder says so if it does not."""
        (source, link), found = done
        if not isinstance(link, FrameReady) or found is None or not found.detections or not source.awaits_main(link):
            return False
        return time.monotonic() < link.time.arrived_seconds + self._main_seconds

    def _give_way(self, stream: str, item: _Waiting, cause: str) -> None:
        source, link = item
        if isinstance(link, FrameReady):
            source.release(link)
            self._core.miss(stream, marked=link.detect)
        self.sources.finished(source)
        self._drop(stream, cause)

    def _start_next(self) -> bool:
        """Give the next frame to the detection threads, if they have room."""
        if not self.pool.has_room or (item := self._waiting.take(time.monotonic())) is None:
            return False
        source, link = item
        planes = None
        is_close = self._waiting.take_close_calls() > 0
        if isinstance(link, FrameReady) and self._core.is_detection_due(link.stream, marked=link.detect, live=link.live):
            planes = source.pool_of(link.picture).view(link.picture)
            if is_close:
                self._core.note_close_frame()
        self.pool.put(item, planes, link.stream)
        return True

    def _finish_frame(self, source: FrameSource, link: FrameReady, found: Found | None) -> list[Item]:
        main = source.main_of(link)
        pictures = [picture for picture in (link.picture, main) if picture is not None]
        views = [source.pool_of(picture).view(picture) for picture in pictures]
        large = None if main is None else views[1]
        frame = Frame(link.stream, link.time, views[0], link.detect, link.damaged, large, link.main != "none")
        now = time.monotonic()
        items = self._core.take(frame, found, now, live=link.live)
        if found is not None and self._show is not None:
            self._show(frame)
        if not all(source.pool_of(picture).is_intact(picture) for picture in pictures):
            raise WorkerError(f"{link.stream}: frame {link.time.frame_index} was overwritten while it was read")
        source.release(link)
        if found is not None and link.main != "none":
            source.want_mains(link.stream, bool(found.detections), now)
        if found is not None and not link.live and (sentence := self._core.take_refusal(link.stream)):
            source.refuse(link.stream, sentence)
        return items
