"""What readers of recordings have in common, whatever their files are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator

from engine.contracts.frames import Frame
from engine.contracts.streams import StreamChanged
from engine.decode.counted import Counted
from engine.runtime.closing import Closing

Items = Generator[Frame | StreamChanged, None, None]


class RecordingReader(Closing):
    """Gives the frames and states of one recording. Iterate once; not thread-safe, and it may not cross a process."""

    def __init__(self) -> None:
        self._items: Items | None = None
        self._counted = Counted(("frames", "packets", "corrupt_packets", "corrupt_frames"))
        self.before: tuple[Frame, dict[str, int]] | None = None
        """Where reading began in the middle: the frame before the first, and ``counters`` as they were then."""
        self.detail_if_damaged = ""
        """Where it began in the middle and has ended: the detail of its last state, if what comes before is damaged."""
        self.meanwhile: Callable[[], None] = lambda: None
        """Called now and then, in the thread that iterates, while a long part of the file that is no video gives nothing."""

    def __iter__(self) -> Iterator[Frame | StreamChanged]:
        if self._items is None:
            self._items = self._run()
        return self._items

    def close(self) -> None:
        """End the reading, also in the middle of it. May be called twice."""
        if self._items is not None:
            self._items.close()

    @property
    def counters(self) -> dict[str, int]:
        """What was counted up to now, as states tell it."""
        return self._counted.named()

    @abstractmethod
    def _run(self) -> Items: ...
