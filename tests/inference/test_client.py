"""The workers' side of a device's process: nobody waits for an answer that will not come."""

from __future__ import annotations

import threading

import pytest

from engine.inference.client import _Line
from engine.inference.messages import Ran
from engine.runtime.channel import ChannelClosed
from tests.patience import PATIENCE_SECONDS


class Answers:
    """A channel that gives these answers, and then is closed; an answer to nothing that was asked is among them."""

    def __init__(self, *answers: object) -> None:
        self._answers, self.is_closed, self._asked = list(answers), False, threading.Event()

    def send(self, message: object) -> None:
        self._asked.set()

    def receive(self) -> object:
        self._asked.wait(PATIENCE_SECONDS)
        if not self._answers:
            raise ChannelClosed
        return self._answers.pop(0)

    def hang_up(self) -> None:
        """Nothing is to be done: it ends by itself."""

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("answers", [(), (Ran(99, []),), (None,)])
def test_who_asked_hears_that_the_line_is_gone_whatever_ended_it(answers: tuple[object, ...]):
    line = _Line(channel := Answers(*answers))  # type: ignore[arg-type]
    with pytest.raises(ChannelClosed):
        line.ask(lambda ticket: ticket).result(timeout=PATIENCE_SECONDS)
    line.close()
    assert channel.is_closed
    with pytest.raises(ChannelClosed):
        line.ask(lambda ticket: ticket)
