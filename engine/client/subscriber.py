"""Receive a run: typed messages in order, and gaps where something is missing."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, cast

import zmq

from engine.client.age import age_limit
from engine.client.asked import check_asked, gone_limit, kinds_asked, streams_asked
from engine.client.connection import Connection
from engine.client.deadline import Deadline
from engine.client.limits import Limits
from engine.client.received import Gap, Malformed, Received, parse
from engine.client.replay import ReplayClient
from engine.client.runs import HeardRun, HeardRuns
from engine.client.sequence import Position
from engine.client.wiring import connect, topics_of
from engine.contracts.messages import AnyMessage, End, Face, kind_of
from engine.contracts.replay import Kind
from engine.errors import ConfigError
from engine.keys.files import ClientKey, read_key
from engine.runtime.closing import Closing


class Subscriber(Closing):
    """Iterate over a run, with ``for`` or ``async for``, in a ``with`` or an ``async with``.

    Use::

        with Subscriber("tcp://127.0.0.1:5556", kinds=("face", "end")) as faces:
            for item in faces:
                if isinstance(item, Gap):
                    print(f"missed {len(item)} {item.kind} messages of {item.stream}")
                elif isinstance(item.message, Face):
                    recognise(item.image(), item.image("original"), item.message.candidates)

    Iteration stops after the first ``end`` message of a run. A publisher that dies and comes back at the same endpoint is
    connected to again: its messages have another ``run_id``, and are counted from 0. Behind a proxy several may send at a time:
    each run is counted for itself. For one thread.

    Age: a face of a camera that is older than ``max_age_seconds`` when it is its turn is skipped, and reported in a ``Gap``
    with ``stale``, so that a slow reader works on what is going on now. Faces of recordings and all other messages are never
    skipped. Between two machines the age is counted from the fastest message so far: their clocks may differ, but should not
    be set meanwhile.

    Replay: what is missing is fetched before the message that shows the gap. Of cameras at most as many faces are refilled as
    come by themselves, besides a first thousand, the newest of a gap first: a reader that is too slow for what comes would only
    fall further behind. A service that does not answer costs two time-outs, and is then left alone for a while.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        socket: Literal["sub", "pull"] = "sub",
        kinds: Iterable[Kind] = ("face", "track", "stream", "end"),
        streams: Iterable[str] | None = None,
        replay: str | None = None,
        key: Path | str | None = None,
        timeout_seconds: float | None = None,
        follow: bool = False,
        gone_seconds: float | Literal["auto"] | None = "auto",
        from_start: bool | None = None,
        resume: Position | None = None,
        refill_all: bool = False,
        replay_timeout_seconds: float = 1.0,
        max_age_seconds: float | Literal["auto"] | None = "auto",
        max_message_bytes: int = Limits.message_bytes,
        max_picture_px: int = Limits.picture_px,
        tell: Callable[[str], None] | None = None,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
    ) -> None:
        """Connect; a publisher that is not there yet is waited for.

        Args:
            endpoint: what the publisher binds.
            socket: ``sub`` for a ``pub`` endpoint, ``pull`` for a ``push`` one. Several ``pull`` readers share the messages,
                and each sees the others' as gaps.
            kinds: what to receive; without ``end`` iteration never stops by itself.
            streams: only these; None: all of them.
            replay: the publisher's replay endpoint, to fetch what was missed.
            key: the file that ``facestream keys new`` wrote, where the publisher has keys.
            timeout_seconds: longest silence; None waits for ever.
            follow: go on after ``end``, with the next run.
            gone_seconds: longest absence of a publisher that was there; None waits for ever. ``auto``: 30 s, but None with
                ``follow`` or without ``end``.
            from_start: what was sent before this subscriber came counts as missed. None: yes for ``pull`` or with ``replay``.
            resume: where an earlier subscriber came to; all that was sent since then counts as missed.
            refill_all: refill faces of cameras without the bound: for a reader that is quick, and wants all of them.
            replay_timeout_seconds: longest silence of the replay service.
            max_age_seconds: None skips nothing. ``auto``: 1 s, but None for ``pull`` and with ``replay``.
            max_message_bytes: a larger message is not taken but counts as malformed; a larger frame ends the iteration.
            max_picture_px: width times height of the largest picture that ``Received.image`` decodes.
            tell: is told, in a sentence, why nothing comes, or that what comes cannot be read; None: the logger ``facestream``.
            context: None: the one that all subscribers of this process share.

        Raises:
            ConfigError: an option is not usable.
        """
        self.endpoint, self._limits = endpoint, Limits(max_message_bytes, max_picture_px)
        check_asked(socket, timeout_seconds, replay_timeout_seconds)
        self._kinds, self._streams = kinds_asked(kinds), streams_asked(streams)
        self._key = None if key is None else read_key(Path(key).expanduser(), ClientKey)
        self._timeout_seconds, self._follow, self._resume, self._refill_all = timeout_seconds, follow, resume, refill_all
        gone = gone_limit(gone_seconds, follow=follow, kinds=self._kinds, key=self._key)
        lossless = socket == "pull" or replay is not None
        age = partial(age_limit, endpoint, max_age_seconds, lossless=lossless)
        is_fresh = age() is not None  # or refused, before anything is open
        self._runs = HeardRuns(lossless if from_start is None else from_start, resume, age)
        self.counters = {"messages": 0, "missed": 0, "stale": 0, "replayed": 0, "malformed": 0, "repeated": 0}
        """Since the start: handed out, lost for good, skipped for their age, come back by replay (of those handed out),
        unreadable, and come twice."""
        self.last_malformed = ""
        """Why the last unreadable message was not readable."""
        self._told, self._over, opened = "", False, context or zmq.Context.instance()
        self._socket = opened.socket(zmq.SUB if socket == "sub" else zmq.PULL)
        self._tell = tell or logging.getLogger("facestream").warning
        self._connection = Connection(self._socket, endpoint, max_message_bytes, self._key, gone, self._tell)
        self._replay: ReplayClient | None = None
        try:
            connect(self._socket, endpoint, topics_of(self._kinds, self._streams), self._key, fresh=is_fresh)
            if replay is not None:
                self._replay = ReplayClient(opened, replay, replay_timeout_seconds, max_message_bytes, self._key)
        except zmq.ZMQError as error:
            self.close()
            raise ConfigError(
                f"cannot connect to {endpoint} ({error.strerror}): use tcp://ADDRESS:PORT or ipc:///PATH"
            ) from error

    @property
    def run_id(self) -> str:
        """The run of what was handed out last; empty before the first message."""
        return self._runs.newest

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()
        self._socket.close(linger=0)
        if self._replay is not None:
            self._replay.close()

    def __iter__(self) -> Iterator[Received | Gap]:
        """Yield messages and gaps in the order of their numbers within each stream and kind.

        Raises:
            TimeoutError: nothing was handed out for ``timeout_seconds``.
            PublisherGoneError: the publisher was away for ``gone_seconds``; its run has not said that it is over.
            FatalError: the publisher speaks another version of the wire, sent a frame beyond the bound, or refuses the key.
        """
        self._over = False
        yield from self._caught_up()
        deadline = Deadline(self._timeout_seconds)
        while not self._over:
            waited = not self._connection.has_message()
            if waited and not self._connection.wait(deadline.left_seconds):
                raise self._connection.silence(self._timeout_seconds)
            yield from self._taken(waited, deadline)

    async def __aiter__(self) -> AsyncIterator[Received | Gap]:
        """Yield and raise the same for ``async for``: the event loop goes on while nothing comes, and waits only for a replay
        service."""
        self._over = False
        for item in self._caught_up():
            yield item
        deadline = Deadline(self._timeout_seconds)
        while not self._over:
            waited = not self._connection.has_message()
            if waited and not await self._connection.arrival(deadline.left_seconds):
                raise self._connection.silence(self._timeout_seconds)
            for item in self._taken(waited, deadline):
                yield item

    def _taken(self, waited: bool, deadline: Deadline) -> Iterator[Received | Gap]:
        """Yield what the message that is there brings; what is not for this reader does not end the silence."""
        brought = False
        for item in chain(self._meaning(self._socket.recv_multipart(), waited), self._caught_up()):
            brought = True
            yield item
        if brought:
            deadline.renew()
        elif deadline.left_seconds == 0 and not self._over:
            raise self._connection.silence(self._timeout_seconds)

    def _caught_up(self) -> Iterator[Received | Gap]:
        """Yield what was sent since ``resume``, of which nothing else would tell; a service that is silent is asked again."""
        if self._resume is None or self._replay is None or self._over:
            return
        for frames in self._replay.since(self._resume):
            yield from self._meaning(frames, waited=False, replayed=True)
        if self._replay.has_answered:
            self._resume = None

    def _meaning(self, frames: list[bytes], waited: bool, replayed: bool = False) -> Iterator[Received | Gap]:
        """Yield what a message that has come means; the iteration ends with it where ``_over`` says so."""
        received = self._parsed(frames, replayed)
        if received is not None and self._wants(received.message.stream, kind_of(received.message)):
            yield from self._in_order(received, waited)

    def _parsed(self, frames: list[bytes], replayed: bool) -> Received | None:
        try:
            return parse(frames, replayed, self._limits)
        except Malformed as error:
            self.counters["malformed"] += 1
            self.last_malformed = str(error)
            if self.counters["malformed"] == 1:
                self._tell(f"what {self.endpoint} sends cannot be read: {error}")
            return None

    def _wants(self, stream: str, kind: str) -> bool:
        if kind not in self._kinds:
            return False
        return self._streams is None or kind in ("stats", "end") or stream in self._streams

    def _in_order(self, received: Received, waited: bool) -> Iterator[Received | Gap]:
        message = received.message
        if message.run_id not in self._runs:
            yield from self._runs.begin(message.run_id, follows=self._connection.is_another())
        run = self._runs.heard(message.run_id)
        missing = run.sequence.arrived(message)
        if isinstance(message, End):  # also where it comes again: only the first one ends the iteration
            self._connection.run_is_over()
        if missing is None:
            self.counters["repeated"] += 1
            return
        run.is_live = run.is_live or (isinstance(message, Face) and message.live)
        if run.is_stale(message, waited):
            self._skip(run, message, missing)
            return
        run.note_own()
        yield from self._refilled(run, message.stream, kind_of(message), missing)
        if isinstance(message, End):
            run.is_over = True
            for stream, of_kind, numbers in run.sequence.missing_at_end(message):
                if self._wants(stream, of_kind) and (self._key is None or self._key.is_for(stream, of_kind)):
                    yield from self._refilled(run, stream, of_kind, numbers)
            yield from run.skipped.all()
        self._over = isinstance(message, End) and not self._follow
        yield from self._handed_out(run, received)

    def _refilled(self, run: HeardRun, stream: str, kind: str, numbers: range) -> Iterator[Received | Gap]:
        """Yield what the replay service still has of ``numbers``, and gaps for the rest."""
        expected = numbers.start
        for frames in self._fetched(run, stream, kind, numbers):
            found = self._parsed(frames, replayed=True)
            if found is None or found.message.run_id != run.run_id or found.message.seq < expected:
                continue
            before = range(expected, found.message.seq)
            expected = found.message.seq + 1
            if run.is_stale(found.message, waited=False):
                self._skip(run, found.message, before)
                continue
            yield from self._gap(run, stream, kind, before)
            run.may_refill -= run.is_live
            yield from self._handed_out(run, found)
        yield from self._gap(run, stream, kind, range(expected, numbers.stop))

    def _handed_out(self, run: HeardRun, received: Received) -> Iterator[Received]:
        """Yield a message, unless it has become old while the reader looked at the gap before it."""
        message = received.message
        if run.is_stale(message, waited=False):
            self._skip(run, message, range(message.seq, message.seq))
            return
        self.counters["messages"] += 1
        self.counters["replayed"] += received.replayed
        yield received

    def _fetched(self, run: HeardRun, stream: str, kind: str, numbers: range) -> Iterator[list[bytes]]:
        if run.is_live and kind == "face" and not self._refill_all:
            numbers = numbers[max(0, len(numbers) - run.may_refill) :]
        if self._replay is None or not numbers:
            return
        yield from self._replay.fetch(run.run_id, stream, cast("Kind", kind), numbers)
        if self._replay.trouble not in ("", self._told):
            self._tell(f"the replay service of {self.endpoint} {self._replay.trouble}; missed messages stay missed")
        self._told = self._replay.trouble

    def _skip(self, run: HeardRun, message: AnyMessage, missing: range) -> None:
        """Leave out a face and what was lost just before it; the next message of its series reports them as one gap."""
        run.skipped.add(message, missing)
        self.counters["missed"] += len(missing)
        self.counters["stale"] += 1

    def _gap(self, run: HeardRun, stream: str, kind: str, numbers: range) -> Iterator[Gap]:
        self.counters["missed"] += len(numbers)
        yield from run.skipped.gap(stream, kind, numbers)
