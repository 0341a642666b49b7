"""The desired state and the run that follows it, changed by one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine.control.answers import AnyResult, Reply
from engine.control.verbs import Request
from engine.service.answers import Answers
from engine.service.caller import Caller
from engine.service.deadlines import check_deadline
from engine.service.desired import Desired, DesiredFile


@dataclass(frozen=True)
class Change:
    """What a verb does to the desired state, and what is answered."""

    after: Callable[[Desired], Desired]
    """Raises ``Refusal`` where it cannot be done."""
    result: Callable[[Desired], AnyResult]
    """Of the state after it."""


class State:
    """Holds the desired state.

    Args:
        file: where it is kept.
        desired: as it was loaded.
        follow: is told the state before and after each change, so that the run does it.
        tidy: is called after each change, and after each that could not be kept.
    """

    def __init__(
        self, file: DesiredFile, desired: Desired, follow: Callable[[Desired, Desired], None], tidy: Callable[[], None]
    ) -> None:
        self._file, self._desired, self._follow, self._tidy = file, desired, follow, tidy
        self.lock = threading.RLock()

    @property
    def desired(self) -> Desired:
        """As it is now."""
        return self._desired

    def commit(self, change: Change, request: Request, caller: Caller) -> Reply:
        """Do a change: it is kept on the disk when this returns, with its answer, and the run follows.

        Raises:
            Refusal: it cannot be done, or its deadline has passed; nothing was changed.
            PublishError: it cannot be kept; nothing was changed.
        """
        with self.lock:
            check_deadline(request)
            before = self._desired
            after = change.after(before)
            reply = Reply(request_id=request.request_id, result=change.result(after))
            after = Answers.with_answer(after, request, caller, reply)
            self._put(before, after)
            return reply

    def put(self, after: Desired) -> None:
        """Let this be the desired state, for a reason of the service's own; the caller holds the lock.

        Raises:
            PublishError: it cannot be kept; nothing was changed.
        """
        self._put(self._desired, after)

    def remember(self, request: Request, caller: Caller, reply: Reply) -> None:
        """Keep the answer to something that changed nothing here."""
        with self.lock:
            after = Answers.with_answer(self._desired, request, caller, reply)
            self._file.save(after)
            self._desired = after

    def _put(self, before: Desired, after: Desired) -> None:
        try:
            self._file.save(after)
            self._desired = after
            self._follow(before, after)
        finally:
            self._tidy()
