"""Asks many at once what may never be answered, and goes on with what is known in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
_AT_ONCE = 8


def answered_in_time(ask: Callable[[Asked], Answer], of: Mapping[str, Asked], seconds: float) -> dict[str, Answer]:
    """Ask about each, eight at a time.

    Args:
        ask: may wait for long, and then is left to itself; what it raises is no answer.
        of: what to ask about, by name.
        seconds: after which no more is waited for, in all.

    Returns:
        What was answered by then, by name, in no order.
    """
    waiting: SimpleQueue[tuple[str, Asked]] = SimpleQueue()
    answers: SimpleQueue[tuple[str, Answer] | None] = SimpleQueue()
    until = time.monotonic() + seconds
    for one in of.items():
        waiting.put(one)

    def work() -> None:
        with suppress(Empty):
            while time.monotonic() < until:
                name, asked = waiting.get_nowait()
                try:
                    answers.put((name, ask(asked)))
                except Exception:
                    answers.put(None)

    for _ in range(min(_AT_ONCE, len(of))):
        threading.Thread(target=work, name="look-up", daemon=True).start()  # no end of the process waits for it
    known: dict[str, Answer] = {}
    with suppress(Empty):
        for _ in of:
            answer = answers.get(timeout=max(0.0, until - time.monotonic()))
            known |= dict([answer]) if answer else {}
    return known
