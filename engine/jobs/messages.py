"""What the keeper of a process and the process tell each other.

keeper --Do, Answered--> process     keeper <--Ready, Moved, Asked, Ended, Failed-- process
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.contracts.frames import Uint8
from engine.jobs.task import Task
from engine.runtime.codec import Codec
from engine.runtime.protocol import PROTOCOL

Question = Literal["open", "enhance", "account", "close"]
Outcome = Literal["done", "failed", "fatal", "error", "died", "lost", "held"]
"""How an attempt at a task ended: with a result; its recording is bad; nothing can go on so; an error that may not come again;
the process that did it died of it, or hung; somebody around it died (worker, node); somebody else is at work on it."""


class Do(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Do a task."""

    task: Task
    directory: bytes
    """Empty, absolute; as the system has it."""
    away: bool = False
    """Somebody else computes crops: ask for it."""


class Moved(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """So much of the task is done."""

    seconds: float


class Asked(msgspec.Struct, frozen=True, array_like=True, tag=True, eq=False):
    """Crops are to be computed elsewhere, see ``elsewhere``; answered in order."""

    question: Question
    content: Uint8


class Answered(msgspec.Struct, frozen=True, array_like=True, tag=True, eq=False):
    """The answer."""

    content: Uint8


class Ended(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A task has been tried."""

    outcome: Outcome
    reason: str = ""
    """One sentence; empty for ``done``."""
    exit_code: int = 1
    """Of the error."""


ORDERS = Codec([*PROTOCOL, Do, Answered, Moved, Asked, Ended])
