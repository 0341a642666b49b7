"""The steps from the workers that a run has to those that it should have: pure, a comparison of two plans."""

from __future__ import annotations

from dataclasses import dataclass

from engine.pipeline.plan import Member, Plan, downstream_first


@dataclass(frozen=True)
class Stop:
    """Let a worker finish what it holds, and forget it; its neighbours learn it from its last word."""

    name: str


@dataclass(frozen=True)
class Start:
    """Start a worker, with a pipe to each neighbour that it should have; those that live are given their ends."""

    member: Member


Action = Stop | Start


def reconcile(desired: Plan, actual: Plan) -> list[Action]:
    """Return the actions, in the order in which they are to be done: first all stops, then the starts, downstream first.

    A worker that is as it should be is in none of them. One that should be different is stopped and started.

    Args:
        desired: what there should be.
        actual: what there is; a worker that is dead, or was told to stop, is not in it.
    """
    stops = [Stop(name) for name, member in actual.members.items() if desired.members.get(name) != member]
    missing = [member for name, member in desired.members.items() if actual.members.get(name) != member]
    return [*stops, *(Start(member) for member in downstream_first(missing))]
