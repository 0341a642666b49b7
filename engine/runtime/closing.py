"""What is closed at the end of a ``with`` block."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Closing(ABC):
    """A base for what has a ``close``."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def finishes_within(seconds: float, close: Callable[[], object]) -> bool:
    """Call what may wait for longer than it is told to; return whether it came back in time.

    Args:
        seconds: to wait for it at most; it goes on in a thread that does not keep the process.
        close: what to call; what it raises is said on standard error, as of any thread.
    """
    thread = threading.Thread(target=close, name="closing", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()
