"""Cameras on the nodes of a fleet, simulated: the product's own placement decides; nodes die, are drained and cut off."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from engine.fleet.quorum import Timing
from tests.bench.fleet.events import Clock
from tests.bench.fleet.load import HELD_SHARE, Load
from tests.bench.fleet.measured import Measured
from tests.bench.fleet.placed import Placer
from tests.fleet.world import is_half

Cause = Literal["node died", "placer's node died", "node died, database away", "node cut off", "drained", "moved"]
HOUR, DAY, MINUTE = 3600.0, 86400.0, 60.0
_TOP = 0.7
"""Of a node's faces that give way under overload before it looks less often: `crop` is thinned up to about so much first."""


@dataclass(frozen=True)
class Site:
    """What there is, and what befalls it. Everything here is an assumption."""

    cameras: int = 1000
    nodes: int = 30
    cores: int = 32
    days: float = 30.0
    quiet: float = 0.7
    """Share of minutes in which a camera sees nobody, by day."""
    night: float = 0.1
    """Of the other minutes, those in which somebody comes at night."""
    node_days: float = 30.0
    """Mean time between deaths of a node."""
    placer_days: float = 3.0
    """Mean time between deaths, besides, of the node that places: more often than real, so that they are seen."""
    repair_hours: float = 4.0
    """Mean; at least ten minutes."""
    cut_days: float = 30.0
    """Mean time between cuts of a node's link."""
    cut_seconds: float = 60.0
    upgrade_days: float = 14.0
    """Each so often all nodes are drained and started anew, one after the other."""
    upgrade_seconds: float = 120.0
    key_seconds: float = 2.0
    """Between a camera's key frames: whoever connects to it waits for the next."""
    lease_seconds: float = 6.0
    """As FLEET.yaml has it by default."""
    outage_days: float = 10.0
    """Mean time between outages of the database, at the beginning of each of which a node dies."""
    outage_minutes: float = 10.0


@dataclass
class Made:
    """What came of it."""

    dark: dict[Cause, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds without a picture, each time that a camera lost its node."""
    events: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    use: list[tuple[float, float, float]] = field(default_factory=list)
    """(hour, mean, most) of what nodes' cores are asked for, of what they can do without a drop, minute by minute."""
    overloaded_minutes: int = 0
    node_minutes: int = 0
    faces_given_up: float = 0.0
    """Share of the core seconds that faces would have taken."""
    looks_given_up: float = 0.0
    """Share of all else, where giving up faces was not enough."""
    moves: int = 0


class Fleet:
    """One simulated site.

    Args:
        measured: what was measured.
        site: what there is.
        load: what the cameras ask for.
        seed: of what befalls the site.
    """

    def __init__(self, measured: Measured, site: Site, load: Load, seed: int) -> None:
        self._measured, self._site, self._load = measured, site, load
        self._timing = Timing(site.lease_seconds)
        self.placer = Placer(load, site.cores * HELD_SHARE, site.nodes)
        self._random, self._clock, self.made = random.Random(seed), Clock(), Made()
        self._present, self._free = set(range(site.nodes)), set(range(site.nodes))
        self._held = set(self._present)
        """Nodes whose lease the others believe in."""
        self._homes = [-1] * site.cameras
        self._leaving: dict[int, int] = {}
        """Camera to the node that it is leaving, which runs."""
        self._dark_since: dict[int, tuple[float, Cause]] = {}
        self._placer, self._database_back = 0, 0.0
        self._asked = self._given = self._faces_asked = self._faces_given = 0.0

    def run(self) -> Made:
        """Let it all happen."""
        site = self._site
        self._settle("moved")
        self._dark_since.clear()
        self.made.dark.clear()
        for node in range(site.nodes):
            self._again(site.node_days * DAY, lambda node=node: self._dies(node))
            self._again(site.cut_days * DAY, lambda node=node: self._is_cut(node))
        self._again(site.outage_days * DAY, self._outage)
        self._again(site.placer_days * DAY, lambda: self._dies(self._placer))
        self._clock.after(site.upgrade_days * DAY, self._upgrade)
        self._clock.after(0.0, self._minute)
        self._clock.run(site.days * DAY)
        self._account()
        return self.made

    def _again(self, mean_seconds: float, happens: Callable[[], None]) -> None:
        def once() -> None:
            happens()
            self._clock.after(self._random.expovariate(1 / mean_seconds), once)

        self._clock.after(self._random.expovariate(1 / mean_seconds), once)

    def _dies(self, node: int) -> None:
        if node not in self._present:
            return
        cause: Cause = "placer's node died" if node == self._placer else "node died"
        if self._clock.now < self._database_back:
            cause = "node died, database away"
        self.made.events[cause] += 1
        self._goes(node, cause)
        repair = max(600.0, self._random.expovariate(1 / (self._site.repair_hours * HOUR)))
        self._clock.after(repair, lambda: self._comes(node))

    def _is_cut(self, node: int) -> None:
        """The others lose it; it keeps its cameras until its own lease is over, which is before they are read elsewhere."""
        if node not in self._present:
            return
        self.made.events["node cut off"] += 1
        self._clock.after(self._timing.lease - self._timing.margin, lambda: self._goes(node, "node cut off", waited=True))
        self._clock.after(self._site.cut_seconds, lambda: self._comes(node))

    def _goes(self, node: int, cause: Cause, *, waited: bool = False) -> None:
        """A node has stopped reading its cameras."""
        self._present.discard(node)
        for camera, home in enumerate(self._homes):
            if home == node:
                self._dark_since.setdefault(camera, (self._clock.now, cause))
        left = self._timing.margin if waited else self._timing.lease - self._random.uniform(0.0, self._timing.renew)
        noticed = left + self._random.uniform(0.0, self._timing.renew)
        if node == self._placer:
            noticed += self._random.uniform(0.0, self._timing.renew)  # another one takes its place first
        self._clock.after(noticed, lambda: self._is_missed(node, cause))

    def _is_missed(self, node: int, cause: Cause) -> None:
        if node in self._present:
            return
        if self._clock.now < self._database_back:  # nobody can place anything; who has cameras keeps them
            self._clock.after(self._database_back - self._clock.now, lambda: self._is_missed(node, cause))
            return
        self._held.discard(node)
        if node == self._placer and self._held:
            self._placer = min(self._held)
        self._settle(cause)

    def _comes(self, node: int) -> None:
        if node in self._present:
            return
        self._present.add(node)
        was_held = node in self._held
        self._held.add(node)
        if was_held:  # before anybody missed it: it goes on with what it had
            for camera, home in enumerate(self._homes):
                if home == node:
                    self._picture(camera)
        self._clock.after(self._timing.lease + self._random.uniform(0.0, self._timing.renew), lambda: self._settle("moved"))

    def _outage(self) -> None:
        self.made.events["database away"] += 1
        self._database_back = self._clock.now + self._random.expovariate(1 / (self._site.outage_minutes * MINUTE))
        self._dies(self._random.randrange(self._site.nodes))

    def _upgrade(self, node: int = 0) -> None:
        """Drain a node, start it anew, go on with the next."""
        if node == 0:
            self.made.events["upgrade of all"] += 1
            self._clock.after(self._site.upgrade_days * DAY, self._upgrade)
        self._free.discard(node)
        self._settle("drained")

        def emptied() -> None:
            if node in self._homes and node in self._present:
                self._clock.after(self._timing.renew, emptied)
            else:
                self._clock.after(self._site.upgrade_seconds, back)

        def back() -> None:
            self._free.add(node)
            self._settle("moved")
            if node + 1 < self._site.nodes:
                self._upgrade(node + 1)

        emptied()

    def _settle(self, cause: Cause) -> None:
        """Let the product place, and every camera that it moves be connected to from its new home."""
        if self._clock.now < self._database_back:
            self._clock.after(self._database_back - self._clock.now, lambda: self._settle(cause))
            return
        if not is_half(self._held, range(self._site.nodes)):
            return  # those that come later will be enough
        moves = self.placer.moves(self._held, self._held & self._free, self._homes, calm=not self._leaving)
        for camera, after in moves.items():
            before, self._homes[camera] = self._homes[camera], after
            self.made.moves += 1
            self._dark_since.setdefault(camera, (self._clock.now, cause))
            if before in self._present and before in self._held:
                self._leaving[camera] = before
            wait = self._random.uniform(0.0, self._site.key_seconds)
            seconds = self._random.choice(self._measured.connect_seconds) + wait
            self._clock.after(seconds, lambda camera=camera, after=after: self._reads(camera, after))

    def _reads(self, camera: int, node: int) -> None:
        left = self._leaving.pop(camera, None)
        if self._homes[camera] == node and node in self._present:
            self._picture(camera)
        if left is not None:
            self._settle("moved" if left in self._free else "drained")

    def _picture(self, camera: int) -> None:
        since = self._dark_since.pop(camera, None)
        if since is not None:
            self.made.dark[since[1]].append(self._clock.now - since[0])

    def _minute(self) -> None:
        """See what each node is asked for."""
        self._clock.after(MINUTE, self._minute)
        demand, nodes = self._load.draw(self._clock.now), self._site.nodes
        homes = np.array(self._homes)
        read = homes >= 0
        base = np.bincount(homes[read], demand.base[read], nodes)
        faces = np.bincount(homes[read], demand.faces[read], nodes)
        there = np.zeros(nodes, bool)
        there[sorted(self._present)] = True
        able = self._site.cores * HELD_SHARE
        over = np.maximum(0.0, base + faces - able) * there
        thinned = np.minimum(over, _TOP * faces)
        self.made.overloaded_minutes += int(np.sum(over > 0))
        self.made.node_minutes += int(there.sum())
        self._faces_asked += float(faces[there].sum())
        self._faces_given += float(thinned.sum())
        self._asked += float(base[there].sum())
        self._given += float((over - thinned).sum())
        use = (base + faces)[there] / able if there.any() else np.zeros(1)
        self.made.use.append((self._clock.now / HOUR, float(use.mean()), float(use.max())))

    def _account(self) -> None:
        for camera in list(self._dark_since):
            self._picture(camera)
        self.made.faces_given_up = self._faces_given / max(1e-9, self._faces_asked)
        self.made.looks_given_up = self._given / max(1e-9, self._asked)
