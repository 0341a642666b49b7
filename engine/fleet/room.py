"""Which node may read a camera and has room for it; if none, why, in words. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.fleet.file import FleetCamera
from engine.fleet.view import Load
from engine.words.lists import first_of

_CPU_SHARE = 0.8
"""Up to which a node is filled, as its cameras' share of its processors is measured."""
_LEAST_SHARE = 0.05
"""Of a smaller one nothing can be told."""
_NAMED = 5
"""So many nodes of which the same is to be said are named."""


@dataclass(frozen=True)
class Node:
    """One node, as the placer sees it."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    capacity: float = 0.0
    """Most that its cameras may weigh together, as it is configured; 0: no such limit."""
    estimate: float = 0.0
    """The same as its load says, which others share and which may be wrong: beyond it a camera goes only where it would have no
    node else; 0: nothing is known."""
    size: float = 1.0
    """How much it can have beside other nodes."""
    is_overloaded: bool = False
    """It is given a camera only that would have no node else."""
    gives: bool = False
    """It has been overloaded for long, and gives a camera to a node that has less to do, if there is one."""
    takes: bool = True
    """Whether it may be given cameras: it holds its lease, a run goes on, and it is not drained."""
    keeps: bool = True
    """Whether its cameras stay, where they may: it is not missing, and not drained."""
    away: str = ""
    """Why it takes none, where it does not."""
    refuses: Mapping[str, str] = field(default_factory=dict)
    """Cameras that it cannot read, as where it has no credentials for them, and why."""


def estimate_of(load: Load, weight: float) -> float:
    """Return what a node can have as its load says; 0: nothing can be said.

    Args:
        load: as it is measured.
        weight: of the cameras that it has now.
    """
    if load.cpu_share < _LEAST_SHARE or not weight:
        return 0.0
    return weight * _CPU_SHARE / load.cpu_share


def why_never(camera: FleetCamera, node: Node) -> str:
    """Return why a node may not have a camera, whatever else it has; empty: it may."""
    if camera.only and camera.only != node.name:
        return f"it is for {camera.only} alone"
    if lacking := [f"{key}={value}" for key, value in sorted(camera.needs.items()) if node.labels.get(key) != value]:
        return f"lacks the label{'s' * (len(lacking) > 1)} {' '.join(lacking)}"
    return f"cannot read it: {node.refuses[camera.name]}" if camera.name in node.refuses else ""


def fits(camera: FleetCamera, node: Node, used: Mapping[str, float]) -> bool:
    """Whether a node has room for one more, by its capacity.

    Args:
        camera: one that it does not have.
        node: it.
        used: what the cameras of each node weigh.
    """
    return not node.capacity or used[node.name] + camera.weight <= node.capacity + 1e-9


def is_too_much(camera: FleetCamera, node: Node, used: Mapping[str, float]) -> bool:
    """Whether one more would be more than a node can do, as its load says; args as for ``fits``."""
    return node.is_overloaded or 0.0 < node.estimate < used[node.name] + camera.weight


def rank(camera: FleetCamera, node: str) -> int:
    """Return how far down a node stands among those that a camera prefers: 0 is the first of them."""
    return camera.prefers.index(node) if node in camera.prefers else len(camera.prefers)


def why_nowhere(camera: FleetCamera, nodes: Iterable[Node], used: Mapping[str, float]) -> str:
    """Return why no node can have a camera now, with the reason of each."""
    everyone = list(nodes)
    if not everyone:
        return "there is no node"
    if camera.only:
        own = [node for node in everyone if node.name == camera.only]
        return f"only {camera.only} may have it" + (
            f" ({_why_not_now(camera, own[0], used)})" if own else ", and is not a node"
        )
    nodes_by_reason = defaultdict[str, list[str]](list)
    for node in everyone:
        nodes_by_reason[_why_not_now(camera, node, used)].append(node.name)
    return "no node can have it: " + ", ".join(f"{first_of(names, _NAMED)} ({why})" for why, names in nodes_by_reason.items())


def _why_not_now(camera: FleetCamera, node: Node, used: Mapping[str, float]) -> str:
    if reason := why_never(camera, node):
        return reason
    if not node.takes:
        return node.away or "accepts no cameras now"
    full = f"full: {used[node.name]:g} of {node.capacity:g}"
    return full if used[node.name] >= node.capacity else f"{full}, and it weighs {camera.weight:g}"
