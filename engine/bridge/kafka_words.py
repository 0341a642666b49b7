"""Turns an error of librdkafka into one readable sentence."""

from __future__ import annotations

import re

from confluent_kafka import KafkaError

_WHO = re.compile(r"^(?:\w+://)?\S+/\w+: ")
"""Which connection: ours are all to the hosts that the sentence names."""
_WHEN = re.compile(r" \(after \d+ ?ms\b.*$", re.DOTALL)
_FROM = re.compile(r"^(?:Local|Broker): ")
_SILENT = (
    "_TRANSPORT",
    "_TIMED_OUT",
    "_TIMED_OUT_QUEUE",
    "_MSG_TIMED_OUT",
    "_ALL_BROKERS_DOWN",
    "_PURGE_QUEUE",
    "_PURGE_INFLIGHT",
)
"""They say only that nothing came: why was said before."""


class Heard:
    """The last reason that the library gave for a connection that failed."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, error: KafkaError) -> None:
        """Take an error that is of no request."""
        if error.name() != "_ALL_BROKERS_DOWN":
            self._last = words_of(error)

    def words_for(self, error: KafkaError) -> str:
        """Return why something failed."""
        return self._last or "it does not answer" if error.name() in _SILENT else words_of(error)


def words_of(error: KafkaError) -> str:
    """Return what an error says, without what only its library's authors need."""
    return _WHEN.sub("", _FROM.sub("", _WHO.sub("", error.str())))[:300]
