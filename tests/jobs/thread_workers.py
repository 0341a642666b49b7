"""Workers without a cluster: each a thread with its process, so that a driver's tests take no more than they must."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine.jobs.job_folder import JobFolder
from engine.jobs.messages import Ended
from engine.jobs.task import Task
from engine.jobs.worker import ArchiveWorker


class ThreadWorkers:
    """See ``engine.jobs.driver.Workers``."""

    def __init__(self, directory: Path, number: int = 2) -> None:
        self._workers = {f"w{index}": ArchiveWorker(JobFolder(directory), 1.0) for index in range(number)}
        self._busy: dict[str, threading.Thread] = {}
        self._ended: queue.Queue[tuple[str, list[Ended]]] = queue.Queue()
        self.given: list[Task] = []

    def __len__(self) -> int:
        return len(self._workers)

    def node_of(self, worker: str) -> str:
        return f"node of {worker}"

    def idle(self, wanted: int) -> list[str]:
        return [name for name in self._workers if name not in self._busy]

    def give(self, worker: str, tasks: Sequence[Task]) -> None:
        def do() -> None:
            answer = self._workers[worker].do(msgspec.json.encode(tasks))
            self._ended.put((worker, msgspec.json.decode(answer, type=list[Ended])))

        self.given += tasks
        self._busy[worker] = threading.Thread(target=do)
        self._busy[worker].start()

    def poll(self, seconds: float) -> list[tuple[str, list[Ended]]]:
        ended = list[tuple[str, list[Ended]]]()
        try:
            ended.append(self._ended.get(timeout=seconds))
            while True:
                ended.append(self._ended.get_nowait())
        except queue.Empty:
            pass
        for worker, _ in ended:
            self._busy.pop(worker).join()
        return ended

    def close(self) -> None:
        """Leave everything."""
        for worker in self._workers.values():
            if worker.pid:
                os.kill(worker.pid, signal.SIGKILL)
        for thread in self._busy.values():
            thread.join()
        for worker in self._workers.values():
            worker.close()
