"""The actor on each core of a node."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import ray

from engine.errors import FacestreamError, WorkerError
from engine.jobs.job_folder import JobFolder
from engine.jobs.messages import Question
from engine.jobs.worker import ArchiveWorker

_ANSWER_SECONDS = 120.0
_LOOK_SECONDS = 1.0


class RayWorker(ArchiveWorker):
    """A worker on a core of a node.

    Args:
        folder: makes the folder of the job.
    """

    def __init__(self, folder: Callable[[], JobFolder]) -> None:
        vars(sys.modules["__main__"]).pop("__file__", None)  # of Ray: processes that are started here would load it, too
        here = ray.get_runtime_context().get_node_id()
        nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
        cores = [node["Resources"].get("CPU", 1.0) for node in nodes if node["NodeID"] == here]
        super().__init__(folder(), 1.0 / max([1.0, *cores]))

    def do_with(self, tasks: bytes, holder: Any) -> bytes:
        """See ``ArchiveWorker.do``.

        Args:
            tasks: to be done.
            holder: handle of the ``Holder`` that computes their crops; None: they are computed here.
        """
        return self.do(tasks, None if holder is None else partial(_ask, holder))


def _ask(holder: Any, owner: str, question: Question, content: bytes, waiting: Callable[[], object]) -> bytes:
    reference = holder.answer.remote(owner, question, content)
    deadline = time.monotonic() + _ANSWER_SECONDS
    while not ray.wait([reference], timeout=_LOOK_SECONDS)[0]:
        waiting()
        if time.monotonic() > deadline:
            raise WorkerError(f"the process that computes the crops did not answer for {_ANSWER_SECONDS:.0f} s")
    try:
        answer: bytes = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, FacestreamError):
            raise error.cause from error
        raise WorkerError(f"the process that computes the crops failed: {error.cause}") from error
    except ray.exceptions.RayError as error:
        raise WorkerError("the process that computes the crops was lost") from error
    return answer
