"""A small world: nodes with the real ``Permission``, links that fail one way or both, and a database that comes and goes.

One camera, which the nodes take over from each other by the rules of ``fleet.presence`` and ``Lease.take``, here without SQL.
Time goes in steps; whatever can be said within one is. A node that hangs does nothing, and its worker still ends the camera in
time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from engine.fleet.quorum import Heard, Permission, Timing

TIMING = Timing(6.0)
STEP = 0.25
DATABASE = "database"


def is_half(some: Collection[object], nodes: Collection[object]) -> bool:
    """Whether these are at least half of all nodes, as ``fleet.has_quorum`` asks of those that count."""
    return 2 * len(some) >= len(nodes)


@dataclass
class Row:
    """What the database knows of a node; ``session``: when the server last heard of it, None without one."""

    session: float | None = None
    settled: bool = False
    renewed: float = -99.0


@dataclass
class Machine:
    """One node."""

    name: str
    permission: Permission
    hung: bool = False
    dead: bool = False
    next_renewal: float = 0.0
    next_try: float = 0.0
    next_question: float = 0.0
    runs: bool = False
    believes_in_session: bool = False
    had: bool = False
    """It has taken the camera, as its disk remembers, and has not given it back."""


@dataclass
class World:
    """All of it; ``cut`` has pairs (from, to) that nothing passes."""

    names: list[str]
    now: float = 100.0
    cut: set[tuple[str, str]] = field(default_factory=set)
    database_up: bool = True
    database_hangs: bool = False
    placed: str = ""
    holder: str = ""
    lock: str = ""
    moved: int = 0
    rows: dict[str, Row] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = {name: Row() for name in self.names}
        self.machines = {name: Machine(name, Permission(name, TIMING)) for name in self.names}
        self.placed = self.names[0]

    @property
    def runners(self) -> list[str]:
        """Who reads the camera."""
        return [one.name for one in self.machines.values() if one.runs and not one.dead]

    def passes(self, sender: str, receiver: str) -> bool:
        return (sender, receiver) not in self.cut

    def advance(self) -> None:
        """One step."""
        self.now += STEP
        if not self.database_up:
            for row in self.rows.values():
                row.session = None
            self.lock = ""
        for name, row in self.rows.items():
            if row.session is not None and self.now - row.session >= TIMING.lease:
                self._end_session(name)
        for machine in self.machines.values():
            if machine.runs and self.now >= machine.permission.until:
                machine.runs = False  # by its worker, whatever else hangs
            if not machine.dead and not machine.hung:
                self._act(machine)
        self._place()

    def _act(self, machine: Machine) -> None:
        permission = machine.permission
        if machine.believes_in_session and permission.is_given_up(self.now):
            self._close(machine)
        if machine.believes_in_session:
            if self.now >= machine.next_renewal:
                self._renew(machine)
            self._follow(machine)
        elif self.now >= machine.next_try:
            machine.next_try = self.now + TIMING.ask
            self._open(machine)
        if not machine.believes_in_session and self.now >= machine.next_question:
            machine.next_question = self.now + TIMING.ask
            self._ask(machine)

    def _close(self, machine: Machine) -> None:
        machine.permission.closed(self.now)
        machine.believes_in_session = False
        if self.database_up and self.passes(machine.name, DATABASE):
            self._end_session(machine.name)

    def _end_session(self, name: str) -> None:
        self.rows[name].session = None
        if self.lock == name:
            self.lock = ""

    def _reaches(self, name: str) -> bool:
        return self.database_up and not self.database_hangs and self.passes(name, DATABASE)

    def _open(self, machine: Machine) -> None:
        row = self.rows[machine.name]
        if not self._reaches(machine.name) or not self.passes(DATABASE, machine.name):
            return
        self._end_session(machine.name)  # its own, of before
        if self.now >= machine.permission.until:
            machine.runs = False
        row.settled = False
        machine.permission.opening(self.now)
        row.session, machine.believes_in_session, machine.next_renewal = self.now, True, self.now
        if machine.runs and not self._take(machine.name):
            machine.runs = False

    def _renew(self, machine: Machine) -> None:
        row = self.rows[machine.name]
        machine.next_renewal = self.now + TIMING.renew
        if not self._reaches(machine.name):
            return
        if row.session is None:  # the server has ended it, and says so
            if self.passes(DATABASE, machine.name):
                self._close(machine)
            return
        row.session = row.renewed = self.now
        row.settled = machine.permission.is_settled(self.now)
        if self.passes(DATABASE, machine.name):
            machine.permission.renewed(self.now)

    def _follow(self, machine: Machine) -> None:
        name = machine.name
        talks = self._reaches(name) and self.passes(DATABASE, name) and self.rows[name].session is not None
        if not talks or self.now >= machine.permission.until:
            return
        if self.placed != name and self.holder == name:
            machine.runs, machine.had, self.holder = False, False, ""
            self.lock = "" if self.lock == name else self.lock
        elif self.placed == name and not machine.runs and self._take(name):
            machine.runs = machine.had = True

    def _take(self, name: str) -> bool:
        free = self.lock in ("", name) and self.placed == name
        if free and (self.holder in ("", name) or (self._missing(self.holder) and self._quorum())):
            self.lock = self.holder = name
            return True
        return False

    def _missing(self, name: str) -> bool:
        row = self.rows[name]
        return row.session is None and self.now - row.renewed >= TIMING.lease

    def _quorum(self) -> bool:
        rows = self.rows
        counting = [
            name for name in self.names
            if rows[name].session is not None and rows[name].settled and self.now - rows[name].renewed < TIMING.fresh
        ]  # fmt: skip
        return is_half(counting, self.names)

    def _place(self) -> None:
        """Whoever is there is the placer."""
        there = [
            one.name for one in self.machines.values()
            if not one.dead and not one.hung and one.believes_in_session and self.rows[one.name].session is not None
            and self._reaches(one.name)
        ]  # fmt: skip
        if there and self._missing(self.placed) and self._quorum():
            self.placed = there[0]
            self.moved += 1

    def _ask(self, machine: Machine) -> None:
        answers = {
            other.name: Heard(other.permission.answer(self.now), self.now)
            for other in self.machines.values()
            if other is not machine and not other.dead and not other.hung
            and self.passes(machine.name, other.name) and self.passes(other.name, machine.name)
        }  # fmt: skip
        machine.permission.heard(self.names, answers, self.now, self.now)

    def kill(self, name: str) -> None:
        """End a node's process; the server notices where the link is there."""
        machine = self.machines[name]
        machine.dead, machine.runs, machine.believes_in_session = True, False, False
        if self.passes(name, DATABASE):
            self._end_session(name)

    def start(self, name: str) -> None:
        """Start it anew; its permission lies in a file, and a camera that it had goes on where that is good."""
        machine = self.machines[name]
        if machine.dead:
            until = machine.permission.until
            goes_on = machine.had and self.now < until
            permission = Permission(name, TIMING, self.now, until + TIMING.margin)
            self.machines[name] = Machine(name, permission, runs=goes_on, had=machine.had)
