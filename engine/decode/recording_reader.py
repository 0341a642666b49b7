"""The base class of all readers of recordings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator

from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.decode.counted import Counted
from engine.runtime.closing import Closing

Items = Generator[Frame | StreamChanged, None, None]


class RecordingReader(Closing):
    """Gives the frames and states of one recording. Iterate once; not thread-safe, and it cannot be sent to another process."""

    def __init__(self) -> None:
        self._items: Items | None = None
        self._counted = Counted(("frames", "packets", "corrupt_packets", "corrupt_frames"))
        self.before: tuple[Frame, dict[str, int]] | None = None
        """If reading started in the middle: the frame before the first, and the ``counters`` at that point."""
        self.detail_if_damaged = ""
        """If it started in the middle and has ended: the detail of its last state in case the part before is damaged."""
        self.meanwhile: Callable[[], None] = lambda: None
        """Called now and then, in the iterating thread, while a long part of the file without video is read."""

    def __iter__(self) -> Iterator[Frame | StreamChanged]:
        if self._items is None:
            self._items = self._run()
        return self._items

    def close(self) -> None:
        """End the reading, even in the middle. May be called twice."""
        if self._items is not None:
            self._items.close()

    @property
    def counters(self) -> dict[str, int]:
        """The current counters, as in states."""
        return self._counted.named()

    @abstractmethod
    def _run(self) -> Items: ...
