"""The worker's side: sessions that the process of a device computes, over the deaths of that process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from itertools import count
from typing import Any

from engine.errors import InferenceError
from engine.inference.messages import MESSAGES, Open, Opened, Ran, Refused, Run, open_message
from engine.runtime.channel import Channel, ChannelClosed
from engine.runtime.closing import Closing
from engine.runtime.listener import connect
from engine.sessions.session import Session, SessionSpec, open_elsewhere
from engine.sessions.tensors import Tensor, check_inputs

_TRIES = 2
"""So many processes may die of one question, or beside it; what no other death took along is asked again."""


def compute_elsewhere(devices: Mapping[str, bytes]) -> None:
    """From now on let other processes compute what this one opens on their devices.

    Args:
        devices: to the addresses of the ``Listener`` behind which the process of each is.
    """
    for device, address in devices.items():
        open_elsewhere(device, InferenceClient(address).open)


class InferenceClient:
    """One for each process that computes elsewhere; its sessions may be used by several threads.

    A question that waits while the process of the device dies is asked again of its successor. If that dies too, it has
    failed, and the caller counts it.

    Args:
        address: of the ``Listener`` behind which the process is.
    """

    def __init__(self, address: bytes) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._line: _Line | None = None
        self._is_closed = False

    def open(self, spec: SessionSpec) -> Session:
        """Return a session that the process computes; see ``open_session``.

        Raises:
            ModelError, MissingRuntimeError, ConfigError: as there.
            InferenceError: the process died again and again while it opened the model.
        """
        return _RemoteSession(self, spec, self._ask(spec.title, lambda line: line.opened(spec)))

    def run(self, spec: SessionSpec, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        """Compute; see ``Session.run``."""
        names, arrays = list(tensors), list(tensors.values())

        def ask(line: _Line) -> Future[Any]:
            line.opened(spec).result()  # a successor has not opened it
            return line.ask(lambda ticket: Run(ticket, line.models[spec], names, arrays))

        answer: Ran = self._ask(spec.title, ask)
        return answer.outputs

    def close(self) -> None:
        """Hang up; whoever still waits gets an error."""
        with self._lock:
            self._is_closed = True
            if self._line is not None:
                self._line.close()

    def _ask(self, model: str, question: Callable[[_Line], Future[Any]]) -> Any:
        for _ in range(_TRIES):
            line = self._current()
            try:
                return question(line).result()
            except ChannelClosed:
                self._forget(line)
        raise InferenceError(f"{model} was not computed: {_TRIES} processes of its device died one after the other")

    def _current(self) -> _Line:
        with self._lock:
            if self._is_closed:
                raise InferenceError("the connection to the device's process is closed")
            if self._line is None:
                self._line = _Line(connect(self._address, MESSAGES))
            return self._line

    def _forget(self, line: _Line) -> None:
        with self._lock:
            if self._line is line:
                self._line = None
        line.close()


class _Line:
    """The connection to one incarnation of the process: many questions at once, one thread that reads the answers."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._tickets = count(1)
        self._asking = threading.RLock()
        self._waiting: dict[int, Future[Any]] | None = {}
        """None: the other end is gone."""
        self._opened: dict[SessionSpec, Future[Any]] = {}
        self.models: dict[SessionSpec, int] = {}
        """The tickets with which they were opened."""
        self._reader = threading.Thread(target=self._read, name="inference answers", daemon=True)
        self._reader.start()

    def opened(self, spec: SessionSpec) -> Future[Any]:
        """Return what the process says of a model, which is opened once."""
        with self._asking:
            known = self._opened.get(spec)
            if known is None or (known.done() and known.exception() is not None):
                known = self._opened[spec] = self.ask(lambda ticket: self._open(ticket, spec))
            return known

    def ask(self, question: Callable[[int], Any]) -> Future[Any]:
        """Send a question; its answer comes as the future's result, a refusal as its error.

        Raises:
            ChannelClosed: the process is gone; so does the future, where it goes later.
        """
        with self._asking:
            if self._waiting is None:
                raise ChannelClosed
            ticket = next(self._tickets)
            future = self._waiting[ticket] = Future()
            self._channel.send(question(ticket))
            return future

    def _open(self, ticket: int, spec: SessionSpec) -> Open:
        self.models[spec] = ticket
        return open_message(ticket, spec)

    def close(self) -> None:
        """Hang up, and let the thread end."""
        self._channel.hang_up()
        self._reader.join()

    def _read(self) -> None:
        try:
            while True:
                answer: Opened | Ran | Refused = self._channel.receive()
                future = (self._waiting or {}).pop(answer.ticket)
                if isinstance(answer, Refused):
                    future.set_exception(answer.error())
                else:
                    future.set_result(answer)
        except ChannelClosed:
            pass
        finally:  # whatever ended it: nobody is left waiting for an answer that will not come
            with self._asking:
                waiting, self._waiting = self._waiting or {}, None
                self._channel.close()
            for future in waiting.values():
                future.set_exception(ChannelClosed())


class _RemoteSession(Closing):
    """See ``engine.sessions.session.Session``; the model itself stays open in the process, which others may use too."""

    def __init__(self, client: InferenceClient, spec: SessionSpec, opened: Opened) -> None:
        self._client, self._spec, self._is_closed = client, spec, False
        self.runtime, self.profile = opened.runtime, opened.profile
        self.inputs = tuple(one.spec() for one in opened.inputs)
        self.outputs = tuple(one.spec() for one in opened.outputs)

    def run(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        check_inputs(self._spec.title, self.inputs, tensors)
        if self._is_closed:
            raise InferenceError(f"{self._spec.title} is closed")
        return self._client.run(self._spec, tensors)

    def close(self) -> None:
        self._is_closed = True
