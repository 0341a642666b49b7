"""Model calls that fail: each costs a face or a frame and is counted; a stream has failed only if no call works."""

from __future__ import annotations

from collections.abc import Callable

from engine.contracts.counts import Calls, Counting
from engine.errors import error_words

HOPELESS_CALLS = 25
"""After this many failures from the start of a stream, without a success, the rest of a recording is not read."""


class ModelCalls:
    """Counts the calls of one worker by stream and stage.

    Failures are counted by stage, and as ``errored`` of the stream; the first one of each stream and stage is reported.

    Args:
        counts: where failures are counted.
        extras: optional stages: a stream has not failed if only their calls fail.
        warn: is told the stream and the sentence of the first failure.
    """

    def __init__(self, counts: Counting, warn: Callable[[str, str], None], extras: frozenset[str] = frozenset()) -> None:
        self._counts, self._warn, self._extras = counts, warn, extras
        self._calls: dict[str, dict[str, Calls]] = {}

    def worked(self, stream: str, stage: str) -> None:
        """Note a call that returned a result."""
        self._note(stream, stage, Calls(1, 0))

    def failed(self, stream: str, stage: str, error: Exception) -> None:
        """Note a call that raised."""
        sentence = f"{stage.replace('_', ' ')} failed: {error_words(error)}"
        if self._note(stream, stage, Calls(1, 1, sentence)).failed == 1:
            self._warn(stream, sentence)
        self._counts.errors[stage] += 1
        if stage not in self._extras:
            self._counts.of_stream(stream, "errored")

    def hopeless(self, stream: str, stage: str) -> str:
        """Return why a stream should be given up; empty if it should not."""
        calls = self._calls.get(stream, {}).get(stage, Calls())
        return calls.verdict if calls.total >= HOPELESS_CALLS else ""

    def close(self, stream: str) -> dict[str, Calls]:
        """Return a stream's counts by stage, without the extras, and forget the stream."""
        return {stage: calls for stage, calls in self._calls.pop(stream, {}).items() if stage not in self._extras}

    def _note(self, stream: str, stage: str, call: Calls) -> Calls:
        of_stream = self._calls.setdefault(stream, {})
        of_stream[stage] = of_stream.get(stage, Calls()) + call
        return of_stream[stage]
