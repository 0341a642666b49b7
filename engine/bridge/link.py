"""The way to a broker, as what sends sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

OnAnswer = Callable[["Answer"], None]


@dataclass(frozen=True)
class Answer:
    """What the broker says of one message."""

    number: int
    """That of the entry."""
    repeated: bool = False
    """It had the message already, and dropped this one."""
    refused: str = ""
    """Why it was not taken; empty: it is stored."""


class Link(Protocol):
    """One connection to a broker; when it breaks, another one is opened."""

    max_bytes: int
    """Of a message that the broker takes."""
    window_seconds: float
    """For which it knows what it has already."""

    async def publish(self, number: int, subject: str, body: bytes, message_id: str) -> None:
        """Send a message, of which ``Answer`` tells later.

        Raises:
            LinkError: the connection is gone.
        """

    @property
    def broken(self) -> str:
        """Why the connection is gone; empty while it is there."""

    async def close(self) -> None:
        """Close it."""


OpenLink = Callable[[OnAnswer, Callable[[], None]], Awaitable[Link]]
"""Opens a link; takes what is told answers, and what is called when it breaks. Raises ``LinkError``."""
