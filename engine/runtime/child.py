"""The first moments of a child process, before it has loaded anything large.

A process that is started needs a quarter of a second of a core to load what it uses. Where processes come beside others that
work, they are forked from one that has loaded it already (``template.py``): that takes 7 ms, and what was loaded is in memory
once. Its modules may open nothing, when they are loaded, that two processes cannot share.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any

from engine.runtime.child_text import write_all_to

SPAWN = mp.get_context("spawn")
_TEMPLATE = "engine.runtime.template"
_PAUSES = (0.001, 0.01, 0.1, 1.0)
"""In seconds, between attempts to start a process."""


def forked_from_one_that_has(modules: Sequence[str]) -> SpawnContext | ForkServerContext:
    """Return what starts processes that have these modules already, where the system does that well: those first asked for."""
    if sys.platform != "linux":
        return SPAWN
    context = mp.get_context("forkserver")
    context.set_forkserver_preload([_TEMPLATE, *modules])
    return context


def start(process: BaseProcess) -> None:
    """Start a process, and the one that it is forked from, with modules from where this process has its own: a new interpreter
    would look into the working directory first, where a file of the user may be called as one of them.

    Raises:
        OSError, EOFError: it cannot be started.
    """
    # One that the process is forked from and that was killed is started anew as soon as it is dead: it may be still dying.
    for pause in _PAUSES:
        try:
            return _start_once(process)
        except (EOFError, ConnectionError):
            time.sleep(pause)
    return _start_once(process)


def _start_once(process: BaseProcess) -> None:
    with _our_modules():
        process.start()


def prepare(modules: Sequence[str]) -> None:
    """Start what processes with these modules are forked from; it loads them meanwhile."""
    forked_from_one_that_has(modules)
    if sys.platform == "linux":
        with _our_modules():
            forkserver.ensure_running()


@contextmanager
def _our_modules() -> Iterator[None]:
    """Let what is started take modules from where this process has its own."""
    places = {"PYTHONSAFEPATH": "1", "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    before = {name: os.environ.get(name) for name in places}
    os.environ.update(places)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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


def begin(printed: Connection, work: Packed) -> None:
    """Body of the child process.

    Args:
        printed: where all goes that it prints.
        work: a function and its arguments.
    """
    write_all_to(printed)
    function, arguments = work.load()
    function(*arguments)
