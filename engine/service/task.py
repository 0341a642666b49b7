"""The child that does one task: ``python -m engine.service.task``. See ``engine.service.tasks``."""

from __future__ import annotations

import os
import resource
import sys
import threading
from contextlib import suppress
from typing import BinaryIO

from engine.control.answers import Problem
from engine.errors import FacestreamError, UsageError, error_words
from engine.service.refusal import Refusal
from engine.service.task_messages import TaskReply, decode_task, encode_task_reply
from engine.service.tasks import LENGTH

_MEMORY_BYTES = 6 * 1024**3
"""Of addresses, of which the runtimes take several times what they use."""
_CPU_SECONDS = 300


def main() -> None:
    """Read a task, do it, say what came of it."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    _limit()
    task_bytes = _read(sys.stdin.buffer)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    reply = _done(task_bytes)
    content = encode_task_reply(reply)
    answers.write(LENGTH.pack(len(content)) + content)
    answers.flush()
    os._exit(0)  # no thread of a library, and nobody who waits for one, holds it back


def _done(task_bytes: bytes) -> TaskReply:
    from engine.service.work import work  # what is large is loaded under the limits

    try:
        return TaskReply(result=work(decode_task(task_bytes)))
    except Refusal as refusal:
        return TaskReply(problem=refusal.problem)
    except UsageError as error:
        return TaskReply(problem=Problem(code="bad_request", message=str(error)))
    except MemoryError:
        words = "there was not enough memory for it; if the picture is very large, use a smaller one"
        return TaskReply(problem=Problem(code="refused", message=words))
    except (FacestreamError, Exception) as error:
        return TaskReply(problem=Problem(code="failed", message=error_words(error)))


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a lower limit is set already
            resource.setrlimit(kind, (most, most))


def _read(pipe: BinaryIO) -> bytes:
    head = pipe.read(LENGTH.size)
    if len(head) < LENGTH.size:
        os._exit(1)
    return pipe.read(LENGTH.unpack(head)[0])


def _die_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
