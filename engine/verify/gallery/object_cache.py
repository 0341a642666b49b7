"""Caches values computed from an object, for as long as that object is used."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class ObjectCache(Generic[Value]):
    """Values by the identity of the object they were computed from: arrays have no hash, and take long to compare."""

    def __init__(self) -> None:
        self._pairs: list[tuple[object, Value]] = []

    def of(self, source: object) -> Value | None:
        """Return the value kept for an object; None if there is none."""
        return next((value for known, value in self._pairs if known is source), None)

    def keep(self, source: object, value: Value) -> Value:
        """Keep and return what was computed from an object."""
        self._pairs.append((source, value))
        return value
