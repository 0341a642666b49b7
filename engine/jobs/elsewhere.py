"""The half of the work that needs no frames, computed by another process: crops go there, results come back, in order.

The process of a task asks its keeper, who asks whoever holds the models, on whatever machine. Frames stay where they are.
"""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from engine.config import Config
from engine.contracts.counts import Calls, Counts
from engine.contracts.orders import Warned
from engine.enhancement.enhancement import Said
from engine.enhancement.models import OpenModels
from engine.errors import WorkerError
from engine.jobs.messages import Question
from engine.jobs.seat import Seat, Work

_MOST_ON_THEIR_WAY = 4
"""Questions whose answers have not come back: what a decoder is ahead by, at most."""
_DEAD_SECONDS = 900.0
"""A decoder that has asked nothing for so long is dead."""


class Line(Protocol):
    """The way there and back."""

    def ask(self, question: Question, content: bytes) -> None:
        """Send a question."""
        ...

    def answer(self) -> bytes:
        """Wait for the answer to the oldest question that has none."""
        ...

    def has_answer(self) -> bool:
        """Whether ``answer`` would return at once."""
        ...


class Away:
    """See ``engine.jobs.seat.Enhancing``: for one segment.

    Args:
        line: for this alone.
    """

    def __init__(self, line: Line) -> None:
        self._line, self._on_their_way = line, 0
        self._said: deque[Said] = deque()

    def put(self, work: Sequence[Work]) -> None:
        if not work:
            return
        while self._on_their_way >= _MOST_ON_THEIR_WAY:
            self._receive()
        self._line.ask("enhance", pickle.dumps(list(work)))
        self._on_their_way += 1

    def take(self, *, all_of_it: bool) -> list[Said]:
        while self._on_their_way and (all_of_it or self._line.has_answer()):
            self._receive()
        said = list(self._said)
        self._said.clear()
        return said

    def account(self) -> tuple[dict[str, Calls], Counts]:
        self._line.ask("account", b"")
        account: tuple[dict[str, Calls], Counts] = pickle.loads(self._line.answer())
        return account

    def close(self) -> None:
        while self._on_their_way:  # of a segment that was left: whoever asks next must not get these answers
            self._line.answer()
            self._on_their_way -= 1
        self._line.ask("close", b"")
        self._line.answer()

    def _receive(self) -> None:
        self._said += pickle.loads(self._line.answer())
        self._on_their_way -= 1


def open_away(line: Line, stream: str, config: dict[str, Any]) -> dict[str, str]:
    """Begin a segment; return what the models there are."""
    line.ask("open", pickle.dumps((stream, config)))
    facts: dict[str, str] = pickle.loads(line.answer())
    return facts


class Holder:
    """Holds the models of one device for many segments, which come from several decoders.

    Args:
        warn: is told what goes wrong and ends nothing.
    """

    def __init__(self, warn: Callable[[Warned], None] = lambda warned: None) -> None:
        self._warn = warn
        self._config: dict[str, Any] | None = None
        self._models: OpenModels | None = None
        self._seats: dict[str, Seat] = {}
        self._used: dict[str, float] = {}
        """When each was asked for something, by this machine's monotonic clock."""

    def answer(self, owner: str, question: Question, content: bytes) -> bytes:
        """Answer one question.

        Args:
            owner: of the segment: names the attempt.
            question: what is to be done.
            content: pickled; of ``open`` the stream and the settings, of ``enhance`` crops and ends of tracks.

        Raises:
            WorkerError: the segment was begun at another one, which is dead: it has to be begun again.
            FacestreamError: a model cannot be opened.
        """
        self._used[owner] = time.monotonic()
        if question == "open":
            self._forget_the_dead()
            stream, tree = pickle.loads(content)
            models = self._opened(tree)
            self._seats[owner] = Seat(models, stream)
            return pickle.dumps(models.facts)
        if (seat := self._seats.get(owner)) is None:
            raise WorkerError("the process that computes the crops was lost, with what it knew of a segment")
        if question == "enhance":
            return pickle.dumps(seat.enhance(pickle.loads(content)))
        if question == "account":
            return pickle.dumps(seat.account())
        self._forget(owner)
        return b""

    def _forget(self, owner: str) -> None:
        self._used.pop(owner, None)
        if (seat := self._seats.pop(owner, None)) is not None:
            seat.close()

    def _forget_the_dead(self) -> None:
        for owner in [owner for owner, used in self._used.items() if time.monotonic() - used > _DEAD_SECONDS]:
            self._forget(owner)

    def _opened(self, tree: dict[str, Any]) -> OpenModels:
        if self._models is None or self._config != tree:
            if self._models is not None:
                self._models.close()
            self._seats.clear()
            self._models, self._config = OpenModels(msgspec.convert(tree, Config), self._warn, prompt=False), tree
        return self._models
