"""Named worker processes: ready acknowledgement, beats, draining, and an end that the supervisor can tell from a crash."""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import multiprocessing as mp
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import TypeVar

from msgspec import Struct

from engine.errors import FacestreamError, FatalError, UsageError, WorkerError, error_words
from engine.runtime import child
from engine.runtime.bond import die_with_parent
from engine.runtime.channel import Channel, ChannelClosed, channel_pair
from engine.runtime.child import SPAWN, Later, begin, forked_from_one_that_has, start
from engine.runtime.child_text import ChildText, text_pipe
from engine.runtime.codec import Codec
from engine.runtime.descriptors import shortage
from engine.runtime.protocol import Failed, Ready
from engine.runtime.telemetry import Telemetry

_NEIGHBOUR_DIED = 3
BEAT_SECONDS = 0.5
DESCRIPTORS = 4
"""Of each worker in the process that starts it: the line to it, what it prints, and two that tell of its end."""
_DEAF_SECONDS = 5.0
"""A worker whose pipe has been full of orders for so long hangs."""
Result = TypeVar("Result")
_PR_SET_NAME = 15
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


class WorkerContext:
    """What the body of a worker has besides its channels: a name, telemetry, and the line to the supervisor."""

    def __init__(self, name: str, control: Channel) -> None:
        self.name = name
        self.control = control
        self.telemetry = Telemetry(name)
        self._last_beat = 0.0

    def ready(self, facts: dict[str, str] | None = None) -> None:
        """Tell the supervisor that everything is loaded; ``facts`` name what (models, hashes, runtimes)."""
        self.control.send(Ready(self.name, facts or {}))

    def beat(self, *, finished: bool = False) -> None:
        """Send a sign of life, if the last one is old enough and the supervisor has read those before it: work never waits for
        that, and the next one says more."""
        now = time.monotonic()
        if finished or (now - self._last_beat >= BEAT_SECONDS and self.control.has_room()):
            self._last_beat = now
            self.control.send(self.telemetry.beat(finished=finished))

    def alive_during(self, work: Callable[[], Result]) -> Result:
        """Do something long that cannot beat by itself, as deleting a large directory, in a thread; return its result."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(work)
            while not wait([future], BEAT_SECONDS).done:
                self.beat()
            return future.result()

    def clean_up_after_parent(self, clean_up: Callable[[], None]) -> None:
        """When the parent dies, run ``clean_up`` before this process dies too, instead of being killed at once."""

        def end(number: int, frame: FrameType | None) -> None:
            clean_up()
            os._exit(3)

        signal.signal(signal.SIGUSR1, end)
        _die_with_parent(signal.SIGUSR1)


Body = Callable[..., None]
"""A module-level function ``body(context, *arguments)`` that returns when its work is done."""


@dataclass(frozen=True, slots=True)
class BodyIn:
    """The body in a module that only the worker loads: a run begins half a second of a core earlier."""

    module: str
    name: str

    def __call__(self, context: WorkerContext, *arguments: object) -> None:
        """Load it, and do its work."""
        getattr(importlib.import_module(self.module), self.name)(context, *arguments)


@dataclass
class Worker:
    """The supervisor's handle on one process."""

    name: str
    process: BaseProcess
    control: Channel
    text: ChildText
    """What it prints."""
    finished: bool = False
    """It has said that it stops as it should, or is dead."""
    _hung_at_its_end: bool = False

    @property
    def sentinel(self) -> int:
        return self.process.sentinel

    @property
    def lost_neighbour(self) -> bool:
        """Whether it ended since another worker had."""
        return self.process.exitcode == _NEIGHBOUR_DIED

    @property
    def was_killed(self) -> bool:
        """Whether it was ended from outside, as by the system for want of memory, and did not crash."""
        return self.process.exitcode == -signal.SIGKILL and not self._hung_at_its_end

    def tell(self, order: Struct, channel: Channel | None = None) -> None:
        """Give it an order, with the end of another pipe behind it if that is given. Whoever watches all workers must wait for
        none: one that takes no orders, and has been given many, is killed.

        Raises:
            ChannelClosed: it is gone.
        """
        deadline = time.monotonic() + _DEAF_SECONDS

        def end_the_deaf() -> None:
            if time.monotonic() >= deadline:
                self.process.kill()

        if channel is None:
            self.control.send(order, end_the_deaf)
        else:
            self.control.send_channel(order, channel, end_the_deaf)

    def wait_for_end(self, seconds: float = 5.0) -> None:
        """It is dying: wait for it, and kill it if it takes longer."""
        self.finished = True
        self.process.join(seconds)
        if self.process.is_alive():
            self._hung_at_its_end = True
            self.process.kill()
            self.process.join(seconds)

    def close(self) -> None:
        """Close what leads to it; may be called again."""
        self.control.close()
        self.text.close()

    def describe_end(self) -> str:
        """Return how the process ended, for a person."""
        code = self.process.exitcode
        if self._hung_at_its_end:
            return "hung at its end and was killed"
        if code is not None and code < 0:
            return f"was killed by signal {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


_starter = ThreadPoolExecutor(1, "starter")
"""Its one thread starts all workers, whichever thread asks: the kernel takes the thread that started a process for its parent,
and kills what ``_die_with_parent`` has bound to it when that thread ends."""


def prepare(modules: Sequence[str]) -> None:
    """Begin to load, in the process from which workers are forked, what they are to have; whoever starts one waits for that."""
    _starter.submit(child.prepare, modules)


def start_worker(name: str, body: Body, *arguments: object, codec: Codec, forked: Sequence[str] = ()) -> Worker:
    """Start a named process that runs ``body(context, *arguments)``; channels among the arguments now belong to it.

    Args:
        name: of the worker.
        body: see ``Body``.
        arguments: of the body.
        codec: of what it and its supervisor tell each other, ``PROTOCOL`` included.
        forked: modules that are loaded once, in a process from which this one and others are forked; none: it loads for itself.

    Raises:
        WorkerError: it cannot be started: the system has no more processes or descriptors, or an argument cannot be passed on.
    """
    with ExitStack() as on_failure, ExitStack() as children:
        try:
            ours, theirs = channel_pair(codec)
            on_failure.callback(ours.close)
            children.callback(theirs.close)
            text, printed = text_pipe()
            on_failure.callback(text.close)
            children.callback(printed.close)
            work = Later((_run, (name, theirs, body, arguments, dict(os.environ))))
            context = forked_from_one_that_has(forked) if forked else SPAWN
            process = context.Process(target=begin, args=(printed, work), name=f"facestream-{name}", daemon=True)
            _starter.submit(start, process).result()
        except Exception as error:
            words = shortage(error) or (isinstance(error, OSError) and error.strerror) or error_words(error)
            raise WorkerError(f"the worker {name} cannot be started: {words}") from error
        on_failure.pop_all()
    return Worker(name, process, ours, text)


def _run(name: str, control: Channel, body: Body, arguments: tuple[object, ...], environment: dict[str, str]) -> None:
    """What a child process does once it is loaded."""
    if environment != os.environ:  # it was forked from one that was started before
        os.environ.clear()
        os.environ.update(environment)
    _die_with_parent()
    _name_process(f"fs-{name}")
    _keep_freed_memory()
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides: a terminal sends it to all of us
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    context = WorkerContext(name, control)
    try:
        body(context, *arguments)
        context.beat(finished=True)
    except ChannelClosed:
        sys.exit(_NEIGHBOUR_DIED)  # its own end says why
    except FacestreamError as error:
        fatal = isinstance(error, FatalError | UsageError) and not isinstance(error, WorkerError)
        _report(control, Failed(name, str(error), error.exit_code, fatal))
        sys.exit(1)
    except Exception as error:
        if words := shortage(error):
            _report(control, Failed(name, f"the worker {name} cannot go on: {words}", 1, fatal=True))
            sys.exit(1)
        _report(control, Failed(name, f"the worker {name} failed: {error_words(error)}", 1))
        sys.exit(1)


def _report(control: Channel, failed: Failed) -> None:
    try:
        control.send(failed)
    except ChannelClosed:
        sys.stderr.write(f"facestream: {failed.message}\n")


def _die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to end this process when its parent is gone, so that nothing outlives a killed supervisor."""
    die_with_parent(by)
    if (parent := mp.parent_process()) is None or not parent.is_alive():
        os._exit(3)  # it was gone before we asked


def _keep_freed_memory() -> None:
    """Let the allocator reuse what a frame frees for the next one, instead of returning it to the system and faulting it in
    again: 2 to 3 % of a whole run."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def _name_process(name: str) -> None:
    """Show the worker's name in ``top`` and ``ps``."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]), 0, 0, 0)
