"""What a broker at a site's edge offers, whichever it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from engine.bridge.link import Link, OnAnswer
from engine.words.redaction import redact_url

Sasl = Literal["scram-sha-512", "scram-sha-256", "plain"]


@dataclass(frozen=True)
class Broker:
    """Where messages go."""

    url: str
    prefix: str
    stream: str = ""
    """A stream or topic that is there; empty: one is made for ``prefix`` where there is none."""
    credentials: Path | None = None
    tls_ca: Path | None = None
    window_seconds: float | None = None
    """NATS, of a stream that is made: for how long the server knows what it has; None: an hour."""
    sasl: Sasl | None = None
    """Kafka: how it asks for the password; None: ``scram-sha-512``."""

    @property
    def shown(self) -> str:
        """The URL without credentials."""
        return redact_url(self.url)


class Edge(Protocol):
    """What is known of a kind of broker."""

    shown: str
    """Where messages go, for messages: without credentials."""

    def check(self) -> str:
        """Refuse what cannot work, before anything is received; return what else is to be said, or "".

        Raises:
            ConfigError: a file cannot be read, or the URL is none.
            MissingRuntimeError: its library is not installed.
        """

    def open(self, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> Awaitable[Link]:
        """See ``OpenLink``."""
