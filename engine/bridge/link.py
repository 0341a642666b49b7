"""The way to a broker as the sender sees it: the sender knows neither which broker it is nor the names used there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from engine.bridge.entries import Mark
from engine.bridge.names import Key

OnAnswer = Callable[["Answer"], None]


class Outgoing(NamedTuple):
    """A message for the broker."""

    number: int
    """That of the entry."""
    key: Key
    is_gap: bool
    """It says that messages are missing."""
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the broker says of one message."""

    number: int
    """That of the entry."""
    repeated: bool = False
    """It had the message already, and dropped this one."""
    refused: str = ""
    """Why it was not taken; empty: it is stored."""
    mark: Mark | None = None
    """Of a broker with a log: behind the message in it."""


class Link(Protocol):
    """One connection to a broker; when it breaks, another one is opened."""

    max_bytes: int
    """Of a message that the broker takes."""
    window_seconds: float
    """For which it knows what it has already; 0: it does not forget."""
    marks: Mapping[str, int]
    """Of a log: where what it has of what waits begins, as it was found when the link was opened; to be written down before
    anything is sent."""

    async def publish(self, message: Outgoing) -> None:
        """Send a message, of which ``Answer`` tells later.

        Raises:
            Exception: the connection is gone, as ``broken`` says.
        """

    @property
    def broken(self) -> Exception | None:
        """Why the connection is gone; None while it is there. A ``LinkError``: another one may do."""

    async def close(self) -> None:
        """Close it."""


class OpenLink(Protocol):
    """Opens a link."""

    def __call__(self, on_answer: OnAnswer, on_break: Callable[[], None], marks: Mapping[str, int]) -> Awaitable[Link]:
        """Connect.

        Args:
            on_answer: is told what becomes of each message.
            on_break: is called once when the connection is gone.
            marks: of the broker's log, as ``Answer`` and ``Link`` gave them: of what waits it has nothing before.

        Raises:
            LinkError: the broker is not there, or refuses.
            ConfigError: it never will take what is sent.
        """
