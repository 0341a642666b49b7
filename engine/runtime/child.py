"""The first moments of a child process, before it has loaded anything large.

A process that is started beside others that work needs half a second of a core to load what it uses. ``gently``, it does so in
a thread that gives way to them, and has its usual priority from then on: a process cannot take its own back.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import pickle
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any

from engine.runtime.child_text import write_all_to

SPAWN = mp.get_context("spawn")
_GENTLER = 10
"""Steps of niceness: a tenth of the share of those that work, and all that they leave."""


class Later:
    """A value that travels to a child process with what starts it, and is loaded there when that asks for it.

    Args:
        value: anything that may be an argument of a process, pipes included.
    """

    def __init__(self, value: object) -> None:
        self._value = value

    def __reduce__(self) -> tuple[Callable[[bytes], Packed], tuple[bytes]]:
        return Packed, (bytes(ForkingPickler.dumps(self._value)),)


class Packed:
    """What a ``Later`` is in the child."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def load(self) -> Any:
        """Return the value; whatever its modules raise comes from here."""
        return pickle.loads(self._content)

    def load_gently(self) -> Any:
        """Do so with a lower priority."""
        loaded: list[Any] = []

        def load() -> None:
            _give_way()
            try:
                loaded.append((self.load(), None))
            except BaseException as error:  # it belongs to the thread that asked
                loaded.append((None, error))

        thread = threading.Thread(target=load, name="load")
        thread.start()
        thread.join()
        ((value, error),) = loaded
        if error is not None:
            raise error
        return value


def begin(printed: Connection, work: Packed, gently: bool) -> None:
    """Body of the child process.

    Args:
        printed: where all goes that it prints.
        work: a function and its arguments.
        gently: load them with a lower priority.
    """
    write_all_to(printed)
    function, arguments = work.load_gently() if gently else work.load()
    function(*arguments)


def _give_way() -> None:
    """Lower the priority of this thread alone, where the system has one for each thread."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with suppress(OSError):  # a service may be denied even this
            os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _GENTLER))
