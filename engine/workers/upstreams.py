"""All decode processes as perceive hears them, also over their deaths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set

from msgspec.structs import replace

from engine.contracts.counts import Counting
from engine.contracts.streams import InputFile, StreamChanged
from engine.errors import WorkerError
from engine.runtime.channel import Channel, ChannelClosed, Waitable
from engine.runtime.frame_slots import PoolOpened
from engine.runtime.protocol import Drain
from engine.workers.links import FrameReady
from engine.workers.upstream import Upstream

Ordered = FrameReady | StreamChanged | InputFile
"""What waits its turn in its stream."""


class Upstreams:
    """Receives from the decode processes.

    A dead one has a successor until ``stop_replacing``; its streams are cut, and the successor says what became of them.

    Args:
        channels: from the decode processes, by name.
        live: names of those that read a camera.
        put: is given each item; whoever has it calls ``finished`` when it is done with it.
    """

    def __init__(self, channels: Mapping[str, Channel], live: Set[str], put: Callable[[Upstream, Ordered], None]) -> None:
        self._all = {name: Upstream(channel, name in live) for name, channel in channels.items()}
        self._put = put
        self._replaced = True
        self.drains: list[Drain] = []
        """The last words of those that will send no more."""

    @property
    def any_open(self) -> bool:
        """Whether more may come."""
        return any(upstream.open for upstream in self._all.values())

    def readable(self, *, live_only: bool) -> list[Channel]:
        """Return the channels that may have news."""
        return [up.channel for up in self._all.values() if up.open and up.alive and (up.live or not live_only)]

    def hear(self, source: Waitable) -> None:
        """Receive one message."""
        for upstream in self._all.values():
            if upstream.channel is source:
                self._receive(upstream)

    def attach(self, name: str, channel: Channel) -> None:
        """A decode process was replaced, and what the dead one had sent comes first; or a camera was added."""
        old = self._all.get(name)
        self._all[name] = Upstream(channel, old.live if old else True)
        if old is not None:
            self._read_to_the_end(old)
            self._close_if_over(old)

    def detach(self, name: str) -> None:
        """A decode process was removed and has ended: what it had sent comes first."""
        if (old := self._all.pop(name, None)) is None:
            return
        self._read_to_the_end(old)
        if old.open:
            self._abandon(old)
        self._close_if_over(old)
        self._fold_drains()

    def stop_replacing(self) -> None:
        """The run ends: no successors come any more."""
        self._replaced = False
        for upstream in self._all.values():
            if not upstream.alive and upstream.open:
                self._abandon(upstream)

    def finished(self, upstream: Upstream) -> None:
        """One of its items is done."""
        upstream.waiting -= 1
        self._close_if_over(upstream)

    def close(self) -> None:
        for upstream in self._all.values():
            upstream.close()

    def _read_to_the_end(self, upstream: Upstream) -> None:
        while upstream.alive and upstream.open:
            self._receive(upstream)

    def _fold_drains(self) -> None:
        """Keep one last word of each kind, with the sum of their counts, however many come and go."""
        folded: dict[tuple[str, str], Drain] = {}
        for drain in self.drains:
            counts = Counting()
            counts.add(folded.get((drain.outcome, drain.detail), Drain()).counts)
            counts.add(drain.counts)
            folded[drain.outcome, drain.detail] = replace(drain, counts=counts.now())
        self.drains = list(folded.values())

    def _receive(self, upstream: Upstream) -> None:
        try:
            link = upstream.channel.receive()
        except ChannelClosed:
            self._lose(upstream)
            return
        match link:
            case PoolOpened():
                try:
                    upstream.open_pool(link)
                except WorkerError:  # it died before its first picture was seen here
                    self._lose(upstream)
            case FrameReady():
                upstream.streams.add(link.stream)
                self._pass(upstream, link)
            case StreamChanged():
                upstream.note(link)
                self._pass(upstream, link)
            case InputFile():
                self._pass(upstream, link)
            case Drain():
                self.drains.append(link)
                upstream.open = False
            case _:
                raise WorkerError(f"perceive cannot handle a {type(link).__name__}")

    def _pass(self, upstream: Upstream, link: Ordered) -> None:
        upstream.waiting += 1
        self._put(upstream, link)

    def _lose(self, upstream: Upstream) -> None:
        if not upstream.alive or not upstream.open:
            return
        upstream.alive = False
        if not self._replaced:
            self._abandon(upstream)
            return
        for stream in upstream.streams:
            cut = StreamChanged(stream, "discontinuity", "worker_died", "the process that decoded this stream died")
            self._pass(upstream, cut)

    def _abandon(self, upstream: Upstream) -> None:
        """Nobody else will say so: the streams that it read have failed."""
        upstream.open = False
        for stream in upstream.streams:
            self._pass(upstream, StreamChanged(stream, "failed", "worker_died", "the process that decoded this stream died"))
        if not upstream.live:
            self.drains.append(Drain("failed", "a decode worker died"))

    def _close_if_over(self, upstream: Upstream) -> None:
        """Free what a dead process left once its last frame has been read."""
        if upstream not in self._all.values() and not upstream.waiting:
            upstream.close()
