"""Which node should read which camera: pure, deterministic, and with as few moves as possible."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from engine.fleet.even import even_out
from engine.fleet.file import FleetCamera
from engine.fleet.room import Node, fits, is_too_much, rank, why_never, why_nowhere

_NO_LIMIT = 1e6
"""Such nodes are filled by weight."""


@dataclass(frozen=True)
class Placement:
    """Where cameras are to be."""

    nodes: dict[str, str]
    """By camera; one that is not here has no node."""
    reasons: dict[str, str]
    """By camera: why it has no node, or stays on one that it should leave."""


def place(
    cameras: Iterable[FleetCamera], nodes: Iterable[Node], now: Mapping[str, str], wishes: Mapping[str, str] | None = None
) -> Placement:
    """Return where each camera is to be.

    A camera moves only where its node is gone, drained, may not have it any more, has more than it can have, or has been
    overloaded for long while another one has less to do; or where it is wished for elsewhere. It goes to the first node of
    ``prefers`` that has room, else to the one that is emptiest for what it can have; to one that has more to do than it can
    only where all others have that too.

    Args:
        cameras: all.
        nodes: all, also those that are not there.
        now: camera to node.
        wishes: camera to node: where the operator would have it, if it can be there.
    """
    known = {node.name: node for node in sorted(nodes, key=lambda one: one.name)}
    wanted = sorted(cameras, key=lambda one: one.name)
    used = dict.fromkeys(known, 0.0)
    found, reasons, homeless = dict[str, str](), dict[str, str](), list[FleetCamera]()
    for camera in sorted(wanted, key=lambda one: (not one.only, -one.weight, one.name)):
        node = known.get(now.get(camera.name, ""))
        if node is not None and _stays(camera, node) and fits(camera, node, used):
            found[camera.name] = node.name
            used[node.name] += camera.weight
        else:
            homeless.append(camera)
    choices = {
        camera.name: [node for node in known.values() if node.takes and not why_never(camera, node)] for camera in homeless
    }
    for camera in sorted(homeless, key=lambda one: (len(choices[one.name]), -one.weight, one.name)):
        room = [node for node in choices[camera.name] if fits(camera, node, used)]
        if room:
            best = min(room, key=lambda node: _unfitness(camera, node, used))
            found[camera.name] = best.name
            used[best.name] += camera.weight
            continue
        reasons[camera.name] = why_nowhere(camera, known.values(), used)
        before = known.get(now.get(camera.name, ""))
        if before is not None and not why_never(camera, before):  # it goes on there, or does when the node is back
            found[camera.name] = before.name
            used[before.name] += camera.weight
    by_name = {camera.name: camera for camera in wanted}
    staying = {name: node for name, node in found.items() if now.get(name) == node and name not in reasons}
    for name, wish in sorted((wishes or {}).items()):
        target = known.get(wish)
        if name in staying and target is not None and target.takes and target.name != staying[name]:
            camera = by_name[name]
            if not why_never(camera, target) and fits(camera, target, used):  # until it has moved it counts on both
                found[name] = target.name
                used[target.name] += camera.weight
    givers = {node.name for node in known.values() if node.gives}
    if givers and found == staying:  # one thing after another: what moves now may be enough
        found |= {move.camera: move.after for move in even_out(wanted, known.values(), found, givers, most=1)}
    return Placement(found, reasons)


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
    return not why_never(camera, node) and (node.keeps or bool(camera.only))


def _unfitness(camera: FleetCamera, node: Node, used: Mapping[str, float]) -> tuple[bool, int, float, str]:
    """Return what orders the nodes that could have a camera, the best first."""
    after = used[node.name] + camera.weight
    limit = min((one for one in (node.capacity, node.estimate) if one), default=0.0)
    return is_too_much(camera, node, used), rank(camera, node.name), after / (limit or _NO_LIMIT), node.name
