"""Counts the signals that ask a run to end."""

from __future__ import annotations

import errno
import os
import signal
import sys
import termios
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, and a terminal that is closed."""


class CountedSignals:
    """Takes the signals of ``ENDING`` over inside a ``with``; for the main thread.

    SIGHUP asks once: for one terminal that is closed it comes from the kernel, from the shell and from whoever is around it.
    Where it was ignored, as under nohup, it still is.
    """

    def __init__(self) -> None:
        self.count = 0
        """How many came."""
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> CountedSignals:
        for number in ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _take(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            leave_terminal()
            self.count = self.count or 1
        else:
            self.count += 1


def leave_terminal() -> None:
    """Let go of a terminal that is gone: what is still to be said to it goes nowhere, instead of being an error."""
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        try:
            descriptor = stream.fileno() if stream is not None else -1
            if descriptor >= 0:
                termios.tcgetattr(descriptor)
        except termios.error as error:
            if error.args[0] == errno.EIO:
                nowhere = os.open(os.devnull, os.O_RDWR)
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
        except (OSError, ValueError):  # closed, or no file
            continue
