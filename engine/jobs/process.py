"""The process that does tasks, one after the other: models stay open between them; what it dies of takes nobody else along."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from engine.errors import FacestreamError, FatalError, RecoverableError, UsageError, WorkerError, error_words
from engine.jobs.messages import ORDERS, Answered, Asked, Do, Ended, Moved, Question
from engine.jobs.task import LINE, Kept, Task, work_of
from engine.runtime.awake import AwakeClock
from engine.runtime.channel import Channel, ChannelClosed, Waitable, wait_for_any
from engine.runtime.protocol import Drain, Failed, Ready
from engine.runtime.worker import BodyIn, Worker, WorkerContext, start_worker

_BEGIN_SECONDS = 120.0
_POLL_SECONDS = 0.5
_MOVED_SECONDS = 0.5
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LAST_WORDS = 3
Ask = Callable[[Question, bytes], bytes]


def task_body(context: WorkerContext) -> None:
    """Body of the process: do what comes, until there is nothing more."""
    kept = Kept()
    context.ready()
    while isinstance(order := context.control.receive(), Do):
        kept.pop(LINE, None)
        if order.away:
            kept[LINE] = _ToKeeper(context.control)
        context.control.send(_try(context, kept, order))


class _ToKeeper:
    """See ``engine.jobs.elsewhere.Line``: the keeper asks on."""

    def __init__(self, control: Channel) -> None:
        self._control = control

    def ask(self, question: Question, content: bytes) -> None:
        self._control.send(Asked(question, np.frombuffer(content, np.uint8)))

    def answer(self) -> bytes:
        answered: Answered = self._control.receive()
        return answered.content.tobytes()

    def has_answer(self) -> bool:
        return self._control.has_message()


def _try(context: WorkerContext, kept: Kept, order: Do) -> Ended:
    told = 0.0

    def progress(seconds: float) -> None:
        nonlocal told
        if (now := time.monotonic()) - told >= _MOVED_SECONDS:
            told = now
            context.control.send(Moved(seconds))

    try:
        work_of(order.task)(kept, order.task.spec, Path(os.fsdecode(order.directory)), progress)
    except ChannelClosed:
        raise
    except RecoverableError as error:
        return Ended("failed", str(error), error.exit_code)
    except WorkerError as error:
        return Ended("lost", str(error), error.exit_code)
    except (FatalError, UsageError) as error:
        return Ended("fatal", str(error), error.exit_code)
    except MemoryError:
        return Ended("died", "ran out of memory")
    except Exception as error:
        return Ended("error", error_words(error))
    return Ended("done")


class TaskProcess:
    """The keeper's side: starts the process when there is something to do, and another one when it has died.

    Args:
        most_bytes: of memory that it may take.
        stuck_seconds: so long a task may make no progress.
    """

    def __init__(self, most_bytes: int, stuck_seconds: float) -> None:
        self._most_bytes, self._stuck_seconds = most_bytes, stuck_seconds
        self._worker: Worker | None = None
        self._said: deque[str] = deque(maxlen=_LAST_WORDS)

    @property
    def pid(self) -> int:
        """Of the process; 0: there is none now."""
        return self._worker.process.pid or 0 if self._worker else 0

    def do(self, task: Task, directory: Path, moved: Callable[[float], bool], away: Ask | None = None) -> Ended:
        """Let it do a task.

        Args:
            task: to be done.
            directory: empty; for its result.
            moved: called about twice a second, also while the process starts, with the seconds of video that are done;
                False: the task is to be stopped.
            away: asks who computes crops, if that is not the process itself; a ``FacestreamError`` of it ends the attempt.

        Returns:
            How that ended; a death too.

        Raises:
            WorkerError: the process cannot be started.
        """
        worker = self._worker or self._start(moved)
        try:
            worker.control.send(Do(task, os.fsencode(directory), away is not None))
            return self._follow(worker, moved, away)
        except ChannelClosed:
            worker.wait_for_end()
            ended = Ended("died", worker.describe_end() + self._last_words(worker))
        self._end()
        return ended

    def close(self) -> None:
        """End the process, in good order where it is idle."""
        if self._worker is not None:
            with suppress(ChannelClosed):
                self._worker.control.send(Drain())
            self._worker.process.join(1.0)
            self._end()

    def _start(self, moved: Callable[[float], bool]) -> Worker:
        self._worker = worker = start_worker("archive", BodyIn(__name__, task_body.__name__), codec=ORDERS)
        clock = AwakeClock()
        begun = clock.now()
        while not wait_for_any([worker.control], _POLL_SECONDS):
            moved(0.0)  # its False is heard when the task begins
            if clock.now() - begun > _BEGIN_SECONDS:
                worker.wait_for_end(0.0)
                break
        try:
            said = worker.control.receive()
        except ChannelClosed:
            worker.wait_for_end()
            said = None
        if isinstance(said, Ready):
            return worker
        how = said.message if isinstance(said, Failed) else f"it {worker.describe_end()}{self._last_words(worker)}"
        self._end()
        raise WorkerError(f"the process that does the tasks did not start: {how}")

    def _follow(self, worker: Worker, moved: Callable[[float], bool], away: Ask | None) -> Ended:
        clock = AwakeClock()
        done, since = -1.0, clock.now()
        while True:
            for said in self._heard(worker):
                if isinstance(said, Ended):
                    return said
                if isinstance(said, Asked) and away is not None:
                    try:
                        answer = away(said.question, said.content.tobytes())
                    except FacestreamError as error:
                        return self._stop(
                            Ended("lost" if isinstance(error, WorkerError) else "fatal", str(error), error.exit_code)
                        )
                    worker.control.send(Answered(np.frombuffer(answer, np.uint8)))
                if isinstance(said, Moved) and said.seconds > done:
                    done, since = said.seconds, clock.now()
            size = _resident_bytes(self.pid)
            if not moved(max(done, 0.0)):
                return self._stop(Ended("held"))
            if size > self._most_bytes:
                gib = 1 << 30
                return self._stop(
                    Ended("died", f"took {size / gib:.1f} GiB of memory, where {self._most_bytes / gib:.1f} are allowed")
                )
            if clock.now() - since > self._stuck_seconds:
                return self._stop(Ended("died", f"made no progress for {self._stuck_seconds:.0f} s"))

    def _heard(self, worker: Worker) -> list[Ended | Moved | Asked]:
        sources: list[Waitable] = [worker.control, *([worker.text] if worker.text.is_open else [])]
        ready = wait_for_any(sources, _POLL_SECONDS)
        if worker.text in ready:
            self._said.extend(worker.text.read())
        return [worker.control.receive()] if worker.control in ready else []

    def _stop(self, ended: Ended) -> Ended:
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._end()
        return ended

    def _last_words(self, worker: Worker) -> str:
        """Return what it printed last; of one that was killed by a signal only where that was, which the signal says."""
        self._said.extend(worker.text.read())
        return f" ({' '.join(self._said)})" if self._said and (worker.process.exitcode or 0) > 0 else ""

    def _end(self) -> None:
        if (worker := self._worker) is not None:
            self._worker = None
            worker.wait_for_end(0.0)
            worker.close()
        self._said.clear()


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0
