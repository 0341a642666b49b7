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
    plan = _Plan(cameras, nodes, now)
    plan.keep()
    plan.house()
    plan.grant(wishes or {})
    plan.even()
    return Placement(plan.found, plan.reasons)


class _Plan:
    """A placement that is being made, step by step; ``used`` is the weight on each node."""

    def __init__(self, cameras: Iterable[FleetCamera], nodes: Iterable[Node], now: Mapping[str, str]) -> None:
        self._cameras = {camera.name: camera for camera in sorted(cameras, key=lambda one: one.name)}
        self._nodes = {node.name: node for node in sorted(nodes, key=lambda one: one.name)}
        self._now = now
        self._used = dict.fromkeys(self._nodes, 0.0)
        self.found: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def keep(self) -> None:
        """Leave cameras where they are, as far as they may stay there and have room: first those of one node only, then the
        heaviest."""
        for camera in sorted(self._cameras.values(), key=lambda one: (not one.only, -one.weight, one.name)):
            node = self._before(camera)
            if node is not None and _stays(camera, node) and fits(camera, node, self._used):
                self._put(camera, node)

    def house(self) -> None:
        """Find a node for each of the others: first for those that have the least choice."""
        choices = {
            camera.name: [node for node in self._nodes.values() if node.takes and not why_never(camera, node)]
            for camera in self._cameras.values()
            if camera.name not in self.found
        }
        for name in sorted(choices, key=lambda one: (len(choices[one]), -self._cameras[one].weight, one)):
            camera = self._cameras[name]
            if room := [node for node in choices[name] if fits(camera, node, self._used)]:
                self._put(camera, min(room, key=lambda node: _unfitness(camera, node, self._used)))
                continue
            self.reasons[name] = why_nowhere(camera, self._nodes.values(), self._used)
            before = self._before(camera)
            if before is not None and not why_never(camera, before):  # it goes on there, or does when the node is back
                self._put(camera, before)

    def grant(self, wishes: Mapping[str, str]) -> None:
        """Move cameras that stay to where the operator would have them."""
        staying = self._staying()
        for name, wish in sorted(wishes.items()):
            target = self._nodes.get(wish)
            if name in staying and target is not None and target.takes and target.name != staying[name]:
                camera = self._cameras[name]
                if not why_never(camera, target) and fits(camera, target, self._used):
                    self._put(camera, target)  # until it has moved it counts on both

    def even(self) -> None:
        """Let one camera leave a node that has long been overloaded, if nothing else moves: that may be enough."""
        givers = {node.name for node in self._nodes.values() if node.gives}
        if givers and self.found == self._staying():
            moves = even_out(list(self._cameras.values()), self._nodes.values(), self.found, givers, most=1)
            self.found |= {move.camera: move.after for move in moves}

    def _before(self, camera: FleetCamera) -> Node | None:
        return self._nodes.get(self._now.get(camera.name, ""))

    def _put(self, camera: FleetCamera, node: Node) -> None:
        self.found[camera.name] = node.name
        self._used[node.name] += camera.weight

    def _staying(self) -> dict[str, str]:
        return {name: node for name, node in self.found.items() if self._now.get(name) == node and name not in self.reasons}


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
