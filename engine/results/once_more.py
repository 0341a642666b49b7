"""The messages of a finished run, sent once more: to develop against what reads them.

They are those of a new run: its own ``run_id``, numbers from 0, times of now. What they say is what was recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator

from msgspec.structs import replace

from engine.client.results import Run
from engine.contracts.messages import AnyMessage, End, Face, Outcome, Stream, Track, kind_of
from engine.results.recorded import Lost, recorded_messages

_BETWEEN_ATTEMPTS_NS = 1_000_000_000
"""A run that was resumed had a pause that nobody wants to wait for."""
LOOK_SECONDS = 0.05
"""From one look to the next while there is nothing to send."""


class Renumbering:
    """Makes recorded messages those of another run."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self._next: dict[tuple[str, str], int] = {}
        self._faces: dict[tuple[str, int], dict[tuple[str, int], int]] = {}
        """Of each track that goes on: run and number of a face to its new number."""

    def of(self, message: Face | Track | Stream, now_ns: int) -> AnyMessage:
        """Return a message with a new number, sent at ``now_ns``; it was seen as long before that as it had been."""
        series = (kind_of(message), message.stream)
        seq = self._next.get(series, 0)
        self._next[series] = seq + 1
        later = now_ns - message.sent_ns
        if isinstance(message, Stream):
            return replace(message, run_id=self.run_id, seq=seq, sent_ns=now_ns)
        faces = self._faces.setdefault((message.stream, message.track_id), {})
        if isinstance(message, Face):
            faces[message.run_id, message.seq] = seq
            captured_ns = message.captured_ns + later
            return replace(message, run_id=self.run_id, seq=seq, sent_ns=now_ns, captured_ns=captured_ns)
        best = None if message.best_face_seq is None else faces.get((message.run_id, message.best_face_seq))
        if message.ended:
            del self._faces[message.stream, message.track_id]
        return replace(message, run_id=self.run_id, seq=seq, sent_ns=now_ns, best_face_seq=best)

    def end(self, run: Run, outcome: Outcome, now_ns: int) -> End:
        """Return the last message."""
        last = {f"{kind}/{stream}": following - 1 for (kind, stream), following in self._next.items()}
        counters = dict(run.record.get("counters") or {})
        return End(
            run_id=self.run_id, stream="", seq=0, sent_ns=now_ns, outcome=outcome, detail="", last_seq=last, counters=counters
        )


def send_once_more(
    run: Run,
    run_id: str,
    send: Callable[[AnyMessage, list[bytes]], object],
    lost: Lost,
    *,
    speed: float | None = 1.0,
    without: Collection[str] = (),
    look: Callable[[], None] = lambda: None,
    should_stop: Callable[[], bool] = lambda: False,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Send all that a directory has of a run, and a last message; return how many there were.

    Args:
        run: the run.
        run_id: of the messages.
        send: sends one.
        lost: is told what of them is not there any more.
        speed: how many times as fast as they were sent; None: without waiting.
        without: names of parts that are not sent.
        look: called while there is nothing to send, many times a second.
        should_stop: True: the last message comes now, and says ``drained``.
        now: seconds of a clock that nobody sets.
        sleep: waits.

    Raises:
        PublishError: a file of the run cannot be read.
    """
    renumbering, count, stopped = Renumbering(run_id), 0, False
    started = now()
    for after_seconds, message, payloads in _paced(run, lost, without):
        while speed and not stopped and (left := started + after_seconds / speed - now()) > 0:
            look()
            sleep(min(left, LOOK_SECONDS))
            stopped = should_stop()
        stopped = stopped or should_stop()
        if stopped:
            break
        look()
        send(renumbering.of(message, time.time_ns()), payloads)
        count += 1
    send(renumbering.end(run, "drained" if stopped else _outcome(run), time.time_ns()), [])
    return count + 1


def _paced(run: Run, lost: Lost, without: Collection[str]) -> Iterator[tuple[float, Face | Track | Stream, list[bytes]]]:
    """Yield the messages, each with how many seconds after the first one it was sent."""
    passed_ns = 0
    before: Face | Track | Stream | None = None
    for message, payloads in recorded_messages(run, lost, without):
        if before is not None:
            step_ns = max(0, message.sent_ns - before.sent_ns)
            passed_ns += step_ns if message.run_id == before.run_id else min(step_ns, _BETWEEN_ATTEMPTS_NS)
        before = message
        yield passed_ns / 1e9, message, payloads


def _outcome(run: Run) -> Outcome:
    said = run.record.get("outcome")
    return "completed" if said == "completed" else "drained" if said == "drained" else "failed"
