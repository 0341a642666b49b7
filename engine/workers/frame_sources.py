"""The processes that decode as perceive sees them: their frame pools, what they have begun, and what of theirs waits."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from engine.contracts.messages import StreamState
from engine.contracts.orders import Refused
from engine.contracts.streams import InputFile, StreamChanged
from engine.errors import WorkerError
from engine.runtime.frame_pool import PoolReader
from engine.runtime.frame_slots import PoolOpened, SlotReleased
from engine.runtime.mailbox import Sender
from engine.runtime.protocol import Drain
from engine.workers.links import FrameReady

Ordered = FrameReady | StreamChanged | InputFile
"""What waits its turn in its stream."""
_DIED = "the process that decoded this stream died"


@dataclass(eq=False)
class FrameSource:
    """One life of a process that decodes; its frames stay readable after its death."""

    sender: Sender
    live: bool
    streams: set[str] = field(default_factory=set)
    """Those that it has begun and not ended."""
    waiting: int = 0
    """Items of it that have not been finished."""
    is_over: bool = False
    """It sends no more."""
    _pools: dict[int, PoolReader] = field(default_factory=dict)

    def note(self, link: Ordered) -> None:
        """Keep account of what it has begun."""
        self.waiting += 1
        if isinstance(link, StreamChanged) and link.is_last:
            self.streams.discard(link.stream)
        elif not isinstance(link, InputFile):
            self.streams.add(link.stream)

    def open_pool(self, opened: PoolOpened) -> None:
        """Map a new pool; the one before has been read to its end, or its frames are lost with the views of them.

        Raises:
            WorkerError: it cannot be mapped, as that of a process that is dead.
        """
        if (old := self._pools.pop(opened.pool_id - 1, None)) is not None:
            old.close()
        self._pools[opened.pool_id] = PoolReader(opened)

    def pool_of(self, link: FrameReady) -> PoolReader:
        return self._pools[link.picture.pool_id]

    def release(self, link: FrameReady) -> None:
        """Tell the decoder that a slot is free; one that died needs none."""
        self.sender.confirm(SlotReleased(link.picture.pool_id, link.picture.slot))

    def refuse(self, stream: str, sentence: str) -> None:
        """Tell the decoder to read no more of a recording."""
        self.sender.confirm(Refused(stream, sentence))

    def close(self) -> None:
        """Unmap the pools and close the pipe."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        self.sender.channel.close()


class FrameSources:
    """Turns what decoders send into items that wait their turn.

    Args:
        recordings: names of those that read recordings; all others read a camera.
        put: is given each item; whoever has it calls ``finished`` when it is done with it.
    """

    def __init__(self, recordings: Set[str], put: Callable[[FrameSource, Ordered], None]) -> None:
        self._recordings, self._put = recordings, put
        self._all: dict[Sender, FrameSource] = {}
        self._missed: dict[str, Sender] = {}
        """The dead whose successors have not begun."""

    def is_live(self, sender: Sender) -> bool:
        """Whether it reads a camera."""
        return sender.name not in self._recordings

    def begin(self, sender: Sender) -> None:
        """A decoder, or the successor of one that died, sends from now on."""
        self._all[sender] = FrameSource(sender, self.is_live(sender))
        if (before := self._missed.pop(sender.name, None)) is not None:
            self.end(before)

    def take(self, sender: Sender, link: Ordered | PoolOpened) -> bool:
        """Take a message; return False where nothing of this decoder can be used any more, as it died before its first picture
        was seen here. One that lives and reads recordings ends by it, and is replaced."""
        if not isinstance(link, PoolOpened):
            self._pass(self._all[sender], link)
            return True
        try:
            self._all[sender].open_pool(link)
        except WorkerError:
            if not self.is_live(sender):
                sender.channel.close()
            return False
        return True

    def miss(self, sender: Sender) -> None:
        """A decoder died: its streams are cut, and its successor will say what became of them."""
        self._say_of_all(sender, "discontinuity")
        self._missed[sender.name] = sender

    def lose(self, sender: Sender) -> Drain | None:
        """A decoder died, and nobody comes after it who would say so: its streams have failed. Return what stands for the last
        word of one that reads recordings."""
        self._missed.pop(sender.name, None)
        self._say_of_all(sender, "failed")
        return None if self.is_live(sender) else Drain("failed", "a decode worker died")

    def end(self, sender: Sender) -> None:
        """It sends no more: free what it has left when the last of its items is done."""
        self._all[sender].is_over = True
        self._close_if_done(self._all[sender])

    def finished(self, source: FrameSource) -> None:
        """One of its items is done."""
        source.waiting -= 1
        self._close_if_done(source)

    def close(self) -> None:
        """Free what all have left."""
        for source in self._all.values():
            source.close()

    def _say_of_all(self, sender: Sender, state: StreamState) -> None:
        source = self._all[sender]
        for stream in sorted(source.streams):
            self._pass(source, StreamChanged(stream, state, "worker_died", _DIED))

    def _pass(self, source: FrameSource, link: Ordered) -> None:
        source.note(link)
        self._put(source, link)

    def _close_if_done(self, source: FrameSource) -> None:
        if source.is_over and not source.waiting:
            del self._all[source.sender]
            source.close()
