"""Which node is to have which camera: pure, the same for the same input, and with as few moves as can be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from engine.fleet.file import FleetCamera
from engine.fleet.view import Load

_CPU_SHARE = 0.8
"""Up to which a node is filled, as its cameras' share of its processors is measured."""
_LEAST_SHARE = 0.05
"""Of a smaller one nothing can be told."""
_NO_LIMIT = 1e6
"""Such nodes are filled by weight."""


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
    is_overloaded: bool = False
    """It is given a camera only that would have no node else."""
    takes: bool = True
    """Whether it may be given cameras: it holds its lease, a run goes on, and it is not drained."""
    keeps: bool = True
    """Whether its cameras stay, where they may: it is not missing, and not drained."""
    refuses: frozenset[str] = frozenset()
    """Cameras that it cannot read, as where it has no credentials for them."""


@dataclass(frozen=True)
class Placing:
    """Where cameras are to be."""

    nodes: dict[str, str]
    """By camera; one that is not here has no node."""
    reasons: dict[str, str]
    """By camera: why it has no node, or stays on one that it should leave."""


def estimate_of(load: Load, weight: float) -> float:
    """Return what a node can have as its load says; 0: nothing can be said.

    Args:
        load: as it is measured.
        weight: of the cameras that it has now.
    """
    if load.cpu_share < _LEAST_SHARE or not weight:
        return 0.0
    return weight * _CPU_SHARE / load.cpu_share


def place(cameras: Iterable[FleetCamera], nodes: Iterable[Node], now: Mapping[str, str]) -> Placing:
    """Return where each camera is to be.

    A camera moves only where its node is gone, drained, may not have it any more, or has more than it can have. It goes to the
    first node of ``prefers`` that has room, else to the one that is emptiest for what it can have; to one that has more to do
    than it can only where all others have that too.

    Args:
        cameras: all.
        nodes: all, also those that are not there.
        now: camera to node.
    """
    known = {node.name: node for node in sorted(nodes, key=lambda one: one.name)}
    wanted = sorted(cameras, key=lambda one: one.name)
    used = dict.fromkeys(known, 0.0)
    found, reasons, homeless = dict[str, str](), dict[str, str](), list[FleetCamera]()
    for camera in sorted(wanted, key=lambda one: (not one.only, -one.weight, one.name)):
        node = known.get(now.get(camera.name, ""))
        if node is not None and _stays(camera, node) and _fits(camera, node, used):
            found[camera.name] = node.name
            used[node.name] += camera.weight
        else:
            homeless.append(camera)
    choices = {
        camera.name: [node for node in known.values() if node.takes and not _why_not(camera, node)] for camera in homeless
    }
    for camera in sorted(homeless, key=lambda one: (len(choices[one.name]), -one.weight, one.name)):
        room = [node for node in choices[camera.name] if _fits(camera, node, used)]
        if room:
            best = min(room, key=lambda node: _unfitness(camera, node, used))
            found[camera.name] = best.name
            used[best.name] += camera.weight
            continue
        reasons[camera.name] = _reason(camera, known.values(), choices[camera.name])
        before = known.get(now.get(camera.name, ""))
        if before is not None and not _why_not(camera, before):  # it goes on there, or does when the node is back
            found[camera.name] = before.name
            used[before.name] += camera.weight
    return Placing(found, reasons)


def next_moves(now: Mapping[str, str], target: Mapping[str, str], present: Collection[str], *, calm: bool) -> dict[str, str]:
    """Return the moves to make now, camera to node.

    Args:
        now, target: camera to node.
        present: nodes that run their cameras, which lose one after another, so that each is interrupted for a moment only.
        calm: every camera runs where it was moved to before: only then one leaves such a node.
    """
    moves, left = dict[str, str](), set[str]()
    for camera in sorted(target):
        before = now.get(camera, "")
        if before == target[camera] or before in left or (before in present and not calm):
            continue
        if before in present:
            left.add(before)
        moves[camera] = target[camera]
    return moves


def _stays(camera: FleetCamera, node: Node) -> bool:
    return not _why_not(camera, node) and (node.keeps or bool(camera.only))


def _why_not(camera: FleetCamera, node: Node) -> str:
    """Return why a node may never have a camera, whatever else it has; empty: it may."""
    if camera.only and camera.only != node.name:
        return f"it is for {camera.only} alone"
    if lacking := [f"{key}={value}" for key, value in sorted(camera.needs.items()) if node.labels.get(key) != value]:
        return f"it needs {' '.join(lacking)}"
    return "its node cannot read it" if camera.name in node.refuses else ""


def _fits(camera: FleetCamera, node: Node, used: Mapping[str, float]) -> bool:
    return not node.capacity or used[node.name] + camera.weight <= node.capacity + 1e-9


def _unfitness(camera: FleetCamera, node: Node, used: Mapping[str, float]) -> tuple[bool, int, float, str]:
    """Return what orders the nodes that could have a camera, the best first."""
    after = used[node.name] + camera.weight
    limit = min((one for one in (node.capacity, node.estimate) if one), default=0.0)
    rank = camera.prefers.index(node.name) if node.name in camera.prefers else len(camera.prefers)
    return node.is_overloaded or 0.0 < node.estimate < after, rank, after / (limit or _NO_LIMIT), node.name


def _reason(camera: FleetCamera, nodes: Iterable[Node], choices: list[Node]) -> str:
    everyone = list(nodes)
    if choices:
        full = ", ".join(node.name for node in choices)
        return f"no node has room for its weight of {camera.weight:g}: {full} {'is' if len(choices) == 1 else 'are'} full"
    able = [node for node in everyone if not _why_not(camera, node)]
    if able:
        return f"none of the nodes that may have it takes cameras now: {', '.join(node.name for node in able)}"
    if camera.only:
        refused = any(node.name == camera.only and camera.name in node.refuses for node in everyone)
        return f"{camera.only} alone may have it, and {'cannot read it' if refused else 'is no node'}"
    if any(camera.name in node.refuses for node in everyone):
        return "no node can read it: `facestream fleet status --json` has what each says"
    needs = " ".join(f"{key}={value}" for key, value in sorted(camera.needs.items()))
    return f"no node has the labels {needs}" if needs else "there is no node"
