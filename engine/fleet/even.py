"""Gives each node its share of the cameras in few moves. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from engine.fleet.file import FleetCamera
from engine.fleet.room import Node, fits, is_too_much, rank, why_never


class Move(NamedTuple):
    """Of one camera from one node to another."""

    camera: str
    before: str
    after: str


def even_out(
    cameras: Iterable[FleetCamera],
    nodes: Iterable[Node],
    now: Mapping[str, str],
    givers: Collection[str] | None = None,
    most: int | None = None,
) -> list[Move]:
    """Return the moves, by camera, after which no camera is better elsewhere: asked again it returns none.

    A camera goes from one node to another that it may be on, likes as well, and that has room, where that is no fuller with it,
    for its size, than the other is without: the fullest gives first, to the emptiest, the heaviest that does this. Two nodes
    that could exchange any camera end less than one apart.

    Args:
        cameras: all.
        nodes: all, also those that are not there, which neither give nor take.
        now: camera to node.
        givers: nodes that may give; None: all.
        most: moves; None: as many as it takes.
    """
    known = {node.name: node for node in nodes}
    wanted = {camera.name: camera for camera in cameras}
    held = {name: {one for one, node in now.items() if node == name and one in wanted} for name in known}
    used = {name: sum(wanted[one].weight for one in sorted(ones)) for name, ones in held.items()}
    home = {one: name for name, ones in held.items() for one in ones}
    steps = 0

    def fullness(name: str, more: float = 0.0) -> float:
        return (used[name] + more) / known[name].size

    def best() -> Move | None:
        order = sorted(known, key=lambda name: (fullness(name), name))
        for giver in reversed(order):
            if not known[giver].keeps or (givers is not None and giver not in givers):
                continue
            mine = sorted((wanted[one] for one in held[giver]), key=lambda one: (-one.weight, one.name))
            for taker in order:
                if fullness(taker) >= fullness(giver):
                    break
                for one in mine:
                    after = fullness(taker, one.weight) <= fullness(giver, -one.weight) + 1e-9
                    if after and _may_go(one, giver, known[taker], used):
                        return Move(one.name, giver, taker)
        return None

    while (most is None or steps < most) and (move := best()) is not None:
        camera, weight = move.camera, wanted[move.camera].weight
        held[move.before].remove(camera)
        held[move.after].add(camera)
        used[move.before], used[move.after] = used[move.before] - weight, used[move.after] + weight
        home[camera] = move.after
        steps += 1
    return [Move(one, now[one], node) for one, node in sorted(home.items()) if now[one] != node]


def _may_go(camera: FleetCamera, giver: str, taker: Node, used: Mapping[str, float]) -> bool:
    return (
        taker.takes
        and not camera.only
        and not why_never(camera, taker)
        and rank(camera, taker.name) <= rank(camera, giver)
        and fits(camera, taker, used)
        and not is_too_much(camera, taker, used)
    )
