"""Calls of models that fail: one costs a face or a frame, and is counted; only where none works has the stream failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from engine.contracts.counts import Counting
from engine.contracts.orders import Warned
from engine.contracts.streams import Calls, StreamChanged
from engine.errors import error_words

HOPELESS_CALLS = 25
"""So many failures from the start of a stream, and no success: the rest of a recording is not read."""


class ModelCalls:
    """Counts the calls of one worker by stream and stage.

    Failures are counted as ``errors.<stage>``, and as ``errored`` of the stream; the first of each stream and stage is said.

    Args:
        counts: where failures are counted.
        warn: is told of the first failure.
    """

    def __init__(self, counts: Counting, warn: Callable[[Warned], None]) -> None:
        self._counts, self._warn = counts, warn
        self._calls: dict[str, dict[str, Calls]] = {}

    def worked(self, stream: str, stage: str) -> None:
        """Note a call that brought a result."""
        self._note(stream, stage, Calls(1, 0))

    def failed(self, stream: str, stage: str, error: Exception) -> None:
        """Note a call that raised."""
        sentence = f"{stage.replace('_', ' ')} failed: {error_words(error)}"
        if self._note(stream, stage, Calls(1, 1, sentence)).failed == 1:
            self._warn(Warned(stream, sentence))
        self._counts.run[f"errors.{stage}"] += 1
        self._counts.of_stream(stream, "errored")

    def hopeless(self, stream: str, stage: str) -> str:
        """Return why a stream is not worth going on with, empty where it is."""
        calls = self._calls.get(stream, {}).get(stage, Calls())
        return _all_failed(calls) if calls.total >= HOPELESS_CALLS else ""

    def close(self, event: StreamChanged) -> StreamChanged:
        """Return a stream's last state with what was counted, and forget the stream."""
        return merged([event, replace(event, calls=self._calls.pop(event.stream, {}), lost=0)])

    def _note(self, stream: str, stage: str, call: Calls) -> Calls:
        of_stream = self._calls.setdefault(stream, {})
        of_stream[stage] = _sum(of_stream.get(stage, Calls()), call)
        return of_stream[stage]


def merged(copies: Iterable[StreamChanged]) -> StreamChanged:
    """Return one event of its copies that came through several workers, each with an account of its own."""
    first, *others = copies
    calls, lost = dict(first.calls), first.lost
    for other in others:
        lost += other.lost
        for stage, counted in other.calls.items():
            calls[stage] = _sum(calls.get(stage, Calls()), counted)
    return replace(first, calls=calls, lost=lost)


def judged(event: StreamChanged) -> StreamChanged:
    """Return the last state of a stream: ``failed`` with the model's sentence where no call of one of the models worked, and
    where a recording has lost faces."""
    if event.state != "ended":
        return event
    if sentence := _first_hopeless(event.calls):
        return replace(event, state="failed", reason="model", detail=sentence)
    if event.lost:
        lost = "1 of its faces was" if event.lost == 1 else f"{event.lost} of its faces were"
        return replace(event, state="failed", reason="worker_died", detail=f"{lost} lost with a worker that died")
    return event


def _first_hopeless(calls: Mapping[str, Calls]) -> str:
    return next(filter(None, map(_all_failed, calls.values())), "")


def _all_failed(calls: Calls) -> str:
    if calls.total == 0 or calls.failed < calls.total:
        return ""
    return f"{calls.error} (none of {calls.total} calls worked)"


def _sum(a: Calls, b: Calls) -> Calls:
    return Calls(a.total + b.total, a.failed + b.failed, a.error or b.error)
