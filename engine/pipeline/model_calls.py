"""Calls of models that fail: one costs a face or a frame, and is counted; only where none works has the stream failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from engine.contracts.links import Calls, StreamChanged, Warned
from engine.runtime.worker import WorkerContext, error_words

HOPELESS_CALLS = 25
"""So many failures from the start of a stream, and no success: the rest of a recording is not read."""


class ModelCalls:
    """Counts the calls of one worker by stream and stage.

    Failures are counted as ``errors.<stage>``, and as ``errored`` of the stream; the first of each stream and stage is said.

    Args:
        context: of the worker.
    """

    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._calls: dict[str, dict[str, Calls]] = {}

    def worked(self, stream: str, stage: str) -> None:
        """Note a call that brought a result."""
        self._note(stream, stage, Calls(1, 0))

    def failed(self, stream: str, stage: str, error: Exception) -> None:
        """Note a call that raised."""
        sentence = f"{stage.replace('_', ' ')} failed: {error_words(error)}"
        if self._note(stream, stage, Calls(1, 1, sentence)).failed == 1:
            self._context.control.send(Warned(stream, sentence))
        self._context.telemetry.counters[f"errors.{stage}"] += 1
        self._context.telemetry.counts.of_stream(stream, "errored")

    def hopeless(self, stream: str, stage: str) -> str:
        """Return why a stream is not worth going on with, empty where it is."""
        calls = self._calls.get(stream, {}).get(stage, Calls())
        return _all_failed(calls) if calls.total >= HOPELESS_CALLS else ""

    def close(self, event: StreamChanged) -> StreamChanged:
        """Return a stream's last state with what was counted, and forget the stream."""
        return merged([event, replace(event, calls=self._calls.pop(event.stream, {}))])

    def _note(self, stream: str, stage: str, call: Calls) -> Calls:
        of_stream = self._calls.setdefault(stream, {})
        of_stream[stage] = _sum(of_stream.get(stage, Calls()), call)
        return of_stream[stage]


def merged(copies: Iterable[StreamChanged]) -> StreamChanged:
    """Return one event of its copies that came through several workers, each with the calls of its own."""
    first, *others = copies
    calls = dict(first.calls)
    for other in others:
        for stage, counted in other.calls.items():
            calls[stage] = _sum(calls.get(stage, Calls()), counted)
    return replace(first, calls=calls)


def judged(event: StreamChanged) -> StreamChanged:
    """Return the last state of a stream: ``failed`` with the model's sentence where no call of one of the models worked."""
    sentence = _first_hopeless(event.calls)
    return replace(event, state="failed", reason="model", detail=sentence) if event.state == "ended" and sentence else event


def _first_hopeless(calls: Mapping[str, Calls]) -> str:
    return next(filter(None, map(_all_failed, calls.values())), "")


def _all_failed(calls: Calls) -> str:
    if calls.total == 0 or calls.failed < calls.total:
        return ""
    return f"{calls.error} (none of {calls.total} calls worked)"


def _sum(a: Calls, b: Calls) -> Calls:
    return Calls(a.total + b.total, a.failed + b.failed, a.error or b.error)
