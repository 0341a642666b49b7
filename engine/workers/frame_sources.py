"""The processes that decode as perceive sees them: their frame pools, what they have begun, and what of theirs waits."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from engine.contracts.messages import StreamState
from engine.contracts.orders import MainWanted, Refused
from engine.contracts.streams import InputFile, StreamChanged
from engine.errors import WorkerError
from engine.runtime.frame_pool import PoolReader
from engine.runtime.frame_slots import PoolOpened, SlotPicture, SlotReleased
from engine.runtime.mailbox import Sender
from engine.runtime.protocol import Drain
from engine.workers.links import FrameReady, MainReady

Ordered = FrameReady | StreamChanged | InputFile
"""What waits its turn in its stream."""
_FACELESS_SECONDS = 2.0
"""Without a face for so long pictures of the main stream are not wanted any more."""
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
    _awaited: set[int] = field(default_factory=set)
    """Frames here whose main stream's picture follows."""
    _mains: dict[int, MainReady] = field(default_factory=dict)
    """Those that have come, by frame."""
    _last_face: float | None = None
    _wants_mains: bool = False

    def note(self, link: Ordered) -> None:
        """Keep account of what it has begun."""
        self.waiting += 1
        if isinstance(link, FrameReady) and link.main == "follows":
            self._awaited.add(link.time.frame_index)
        if isinstance(link, StreamChanged) and link.is_last:
            self.streams.discard(link.stream)
        elif not isinstance(link, InputFile):
            self.streams.add(link.stream)

    def open_pool(self, opened: PoolOpened) -> None:
        """Map a new pool; the one before has been read to its end, or its frames are lost with the views of them.

        Raises:
            WorkerError: it cannot be mapped, as that of a process that is dead.
        """
        if (old := self._pools.pop(opened.replaces, None)) is not None:
            old.close()
        self._pools[opened.pool_id] = PoolReader(opened)

    def pool_of(self, picture: SlotPicture) -> PoolReader:
        return self._pools[picture.pool_id]

    def release(self, link: FrameReady) -> None:
        """Tell the decoder that a frame's slots are free; one that died needs none."""
        self._free(link.picture)
        self._awaited.discard(link.time.frame_index)
        if (main := self._mains.pop(link.time.frame_index, None)) is not None:
            self._free(main.picture)

    def take_main(self, link: MainReady) -> None:
        """The main stream's picture of a frame has come, or will not; that of a frame that is done with is of no use."""
        if link.frame_index in self._awaited:
            self._mains[link.frame_index] = link
        else:
            self._free(link.picture)

    def main_of(self, link: FrameReady) -> SlotPicture | None:
        """Return the main stream's picture of a frame, None where there is none."""
        main = self._mains.get(link.time.frame_index)
        return None if main is None else main.picture

    def awaits_main(self, link: FrameReady) -> bool:
        """Whether the main stream's picture of a frame may still come."""
        index = link.time.frame_index
        return index in self._awaited and index not in self._mains

    def want_mains(self, stream: str, has_faces: bool, now_seconds: float) -> None:
        """Tell a camera's worker, where it changes, whether there are faces to be cut from its main stream."""
        self._last_face = now_seconds if has_faces else self._last_face
        wanted = self._last_face is not None and now_seconds - self._last_face < _FACELESS_SECONDS
        if wanted != self._wants_mains:
            self._wants_mains = wanted
            self.sender.confirm(MainWanted(stream, wanted))

    def is_gone(self) -> None:
        """It died: what has not come will not."""
        self._awaited.clear()

    def refuse(self, stream: str, sentence: str) -> None:
        """Tell the decoder to read no more of a recording."""
        self.sender.confirm(Refused(stream, sentence))

    def _free(self, picture: SlotPicture | None) -> None:
        if picture is not None:
            self.sender.confirm(SlotReleased(picture.pool_id, picture.slot))

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

    def take(self, sender: Sender, link: Ordered | MainReady | PoolOpened) -> bool:
        """Take a message; return False where nothing of this decoder can be used any more, as it died before its first picture
        was seen here. One that lives and reads recordings ends by it, and is replaced."""
        if isinstance(link, MainReady):
            self._all[sender].take_main(link)
            return True
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
        source.is_gone()
        for stream in sorted(source.streams):
            self._pass(source, StreamChanged(stream, state, "worker_died", _DIED))

    def _pass(self, source: FrameSource, link: Ordered) -> None:
        source.note(link)
        self._put(source, link)

    def _close_if_done(self, source: FrameSource) -> None:
        if source.is_over and not source.waiting:
            del self._all[source.sender]
            source.close()
