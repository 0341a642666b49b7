"""One decode process as perceive sees it: its pipe and its frame pools."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.contracts.streams import StreamChanged
from engine.runtime.channel import Channel
from engine.runtime.frame_pool import PoolReader
from engine.runtime.frame_slots import PoolOpened, SlotReleased
from engine.workers.links import FrameReady


@dataclass(eq=False)
class Upstream:
    """What one incarnation of a decode process shares with perceive; its frames stay readable after its death."""

    channel: Channel
    live: bool
    open: bool = True
    """More may come through it, or through a successor."""
    alive: bool = True
    streams: set[str] = field(default_factory=set)
    """Streams that it has begun and not ended."""
    waiting: int = 0
    """Items of it that have not been finished."""
    _pools: dict[int, PoolReader] = field(default_factory=dict)

    def note(self, event: StreamChanged) -> None:
        """Keep account of the streams that it has begun."""
        if event.is_last:
            self.streams.discard(event.stream)
        else:
            self.streams.add(event.stream)

    def open_pool(self, opened: PoolOpened) -> None:
        """Map a new pool; the one before has been read to its end, or its frames are lost with the views of them."""
        if (old := self._pools.pop(opened.pool_id - 1, None)) is not None:
            old.close()
        self._pools[opened.pool_id] = PoolReader(opened)

    def pool_of(self, link: FrameReady) -> PoolReader:
        return self._pools[link.picture.pool_id]

    def release(self, link: FrameReady) -> None:
        """Tell the decoder that a slot is free; one that died needs none."""
        self.channel.confirm(SlotReleased(link.picture.pool_id, link.picture.slot))

    def close(self) -> None:
        """Unmap the pools and close the pipe."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self.channel.close()
