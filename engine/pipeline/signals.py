"""The signals that ask a command or a run to end."""

from __future__ import annotations

import errno
import os
import signal
import sys
import termios
from collections.abc import Callable, Sequence
from typing import Any, Self

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, a service manager, and a terminal that is closed."""


def heard(asked: Sequence[signal.Signals] = ENDING) -> list[signal.Signals]:
    """Return those that may be taken over: where SIGHUP is ignored, as under nohup, it stays so."""
    return [number for number in asked if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN]


class TakenSignals:
    """In a ``with`` the signals that are ``heard`` go to ``take``, SIGHUP after the terminal was left; for the main thread."""

    def __init__(self, take: Callable[[int], None], asked: Sequence[signal.Signals] = ENDING) -> None:
        self._taker, self._asked_for = take, asked
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in heard(self._asked_for)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _take(self, number: int, _: object) -> None:
        if number == signal.SIGHUP:
            leave_terminal()
        self._taker(number)


class CountedSignals(TakenSignals):
    """Counts those that come. SIGHUP asks once: for one terminal that is closed it comes from the kernel, from the shell and
    from whoever is around it."""

    def __init__(self) -> None:
        super().__init__(self._add)
        self.count = 0
        """How many came."""

    def _add(self, number: int) -> None:
        self.count = self.count or 1 if number == signal.SIGHUP else self.count + 1


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
