"""What follows from the death of a worker: the rule, as pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.pipeline.plan import Role

Fate = Literal["nothing", "again", "recording", "camera", "replaced", "run"]
"""``again``: the recording that it read is read once more, from its last checkpoint; ``recording``: that one has failed, and
another worker reads the next; ``camera``: its camera has failed, and nobody comes after it; ``replaced``: another takes its
name; ``run``: the run fails."""


@dataclass(frozen=True)
class Death:
    """A worker ended without a last beat."""

    role: Role
    is_leaving: bool = False
    """It was removed, and told to go."""
    has_recording: bool = False
    """It has one in hand."""
    was_ready: bool = True
    """It, or one before it of the same name, had loaded what it needs."""
    says_hopeless: bool = False
    """It has said that another process would fail in the same way."""
    is_over: bool = False
    """Nothing more was to come of it but what it may have had in hand: the stream of a camera has ended, a reader was told that
    nothing is left to read, or all that could send it anything have ended."""
    lost_neighbour: bool = False
    """It ended since its neighbour had, and may be read again: no fault of the recording."""


def fate_of(death: Death, *, begun: bool, ending: bool, replaces: bool) -> Fate:
    """Return what follows.

    Args:
        death: of whom, and how.
        begun: all workers have been ready; before, the run does not start with any of them missing.
        ending: the run was told to end: nobody is replaced any more.
        replaces: see ``Policy.replaces_workers``.
    """
    if death.is_leaving:
        return "nothing"
    if death.has_recording:
        return "again" if death.lost_neighbour and begun and replaces and not ending else "recording"
    if death.is_over:  # who knows what it had in hand? And a successor would wait for ever for somebody to write to it
        return "nothing" if death.role in ("camera", "reader") else "run"
    if ending:
        return "nothing" if death.role == "camera" and begun else "run"  # it was killed because it held back the end
    if not begun:
        return "run"
    if death.role == "camera":
        return "camera" if death.says_hopeless or not death.was_ready else "replaced"
    if death.says_hopeless:
        return "run"
    return "replaced" if replaces or death.role in ("reader", "inference") else "run"
