"""Events come through every enhance worker, once each: publish sends each event once, at the right moment."""

from __future__ import annotations

from collections.abc import Iterable

from engine.contracts.streams import Checkpoint, StreamChanged

Event = StreamChanged | Checkpoint


class Barrier:
    """A state passes with its first copy; a last state, and a checkpoint, with the copy of the last worker, when everything
    before it has come through all of them. So does a state of the stream's next life while a last one is waited for.

    Each worker sends a stream's events in the order of their numbers; one that was restarted may send some again.
    """

    def __init__(self, workers: Iterable[str]) -> None:
        self._alive = set(workers)
        self._passed: dict[str, int] = {}
        self._missing: dict[int, set[str]] = {}
        self._held: dict[int, Event] = {}

    def take(self, event: Event, worker: str) -> list[Event]:
        """Take one copy of an event and return what may go out now."""
        number = event.event_id
        if number not in self._missing:
            if number <= self._passed.get(event.stream, -1):
                return []
            if isinstance(event, StreamChanged) and not event.is_last and not self._awaits_state_of(event.stream):
                self._passed[event.stream] = number
                return [event]
            self._held[number], self._missing[number] = event, set(event.lanes) & self._alive
        elif isinstance(event, StreamChanged) and isinstance(held := self._held[number], StreamChanged):
            self._held[number] = held.with_account(event.calls, event.lost)
        self._missing[number].discard(worker)
        return self._release()

    def leave(self, worker: str) -> list[Event]:
        """A worker will send no more; return what waited for it alone."""
        self._alive.discard(worker)
        for missing in self._missing.values():
            missing.discard(worker)
        return self._release()

    def _release(self) -> list[Event]:
        events = []
        for number in sorted(number for number, missing in self._missing.items() if not missing):
            event = self._held.pop(number)
            del self._missing[number]
            last = self._passed.get(event.stream, -1)
            self._passed[event.stream] = max(number, last)
            if number > last or isinstance(event, Checkpoint):  # else the stream lives on: it was added again
                events.append(event)
        return events

    def _awaits_state_of(self, stream: str) -> bool:
        return any(isinstance(one, StreamChanged) and one.stream == stream for one in self._held.values())
