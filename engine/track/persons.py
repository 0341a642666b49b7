"""One track, one person: finds the person that each box of the tracker shows.

A tracker follows boxes. If ``doubt`` suggests that a box may show somebody else by now, the face is compared with the person's
earlier faces, on up to ``_MOST_LOOKS`` detections, which belong to nobody until the question is settled. The answer is the same
person, another person who was lost nearby (as after a crossing), or somebody new. A box that starts where somebody was lost is
compared, too.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from engine.contracts.frames import Float32, Planes
from engine.contracts.intervals import exceeds, reaches
from engine.track.doubt import (
    APART_WIDTHS,
    GAP_SECONDS,
    NEAR_WIDTHS,
    USUAL,
    changed,
    distance_widths,
    distances_widths,
    jumped,
    likeness,
    patch_of,
    usual_after,
)
from engine.track.judge import Judge
from engine.track.known_faces import KnownFaces, mean_vector

_MOST_LOOKS = 3
_SELDOM_SECONDS = 0.2
"""If detections are farther apart than this, the first comparison decides: a passer-by may be gone before the third."""
_HIDDEN_SECONDS = 0.6
"""How long a question waits for two people who are close to each other to part."""
_FIRST_REACH_WIDTHS = 1.5
_REACH_WIDTHS_PER_SECOND = 6.0
"""How far from where they were lost people are searched for."""
_GROWTH = 1.6


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One detection that the tracker follows."""

    carrier: int
    """The tracker's own id."""
    box: Float32
    """(4,) x, y, width, height in pixels."""
    landmarks: Float32 | None
    score: float


@dataclass(slots=True, eq=False)
class _Person:
    key: int
    carrier: int | None
    """The tracker's id of the box that shows the person; None: no box does."""
    faces: KnownFaces
    box: Float32
    seconds: float
    """When the person was last seen, and the number of detections until then."""
    turn: int
    patch: Float32 | None = None
    usual: float = USUAL
    mixed: set[int] = field(default_factory=set)
    """Keys of people who came so close that they may have been mistaken for this one."""


@dataclass(slots=True, eq=False)
class _Question:
    since_seconds: float
    vectors: list[Float32] = field(default_factory=list)
    looks: int = 0
    rivals: set[int] = field(default_factory=set)


class Persons:
    """Assigns each box of one stream the key of its person.

    Args:
        judge: compares faces.
        lost_seconds: a person not seen for longer is gone.
    """

    def __init__(self, judge: Judge, lost_seconds: float) -> None:
        self._judge = judge
        self._lost_seconds = lost_seconds
        self._keys = count()
        self._people: dict[int, _Person] = {}
        self._questions: dict[int, _Question] = {}
        self._turn = 0
        self._seconds = math.inf
        self._is_seldom = False
        """Whether detections are so rare that one comparison has to decide."""
        self.counters: Counter[str] = Counter()
        """Counters: ``tracks.asked``, ``tracks.split`` (somebody new in a followed box), ``tracks.joined`` (found again in
        another box), ``tracks.unanswered`` (the box or the scene ended first: its last faces are in no track).
        """

    def reset(self) -> None:
        """Forget everybody."""
        self._people.clear()
        self._give_up(list(self._questions))
        self._seconds = math.inf

    def assign(self, seconds: float, seen: Sequence[Seen], planes: Planes) -> list[int | None]:
        """Return the key of each detection's person; None while its question is open.

        Args:
            seconds: time of the frame; grows from call to call.
            seen: the detections that the tracker follows in this frame.
            planes: the frame.
        """
        self._turn += 1
        self._is_seldom, self._seconds = reaches(seconds - self._seconds, _SELDOM_SECONDS), seconds
        carried = {person.carrier: person for person in self._people.values() if person.carrier is not None}
        keys: list[int | None] = [None] * len(seen)
        for index, one in enumerate(seen):
            person = carried.get(one.carrier)
            if person is not None and self._is_sure(person, one, seconds, planes):
                keys[index] = person.key
        for index, one in enumerate(seen):
            if keys[index] is None:
                keys[index] = self._settled(self._carried_by(one.carrier), one, seconds, planes, keys)
        for one, key in zip(seen, keys, strict=True):
            if key is not None:
                self._saw(self._people[key], one, seconds, planes)
        self._mix()
        return keys

    def end(self, alive: Collection[int], seconds: float) -> list[int]:
        """Forget the people who are gone; return their keys.

        Args:
            alive: ids of the boxes that the tracker still follows.
            seconds: time of the frame.
        """
        for person in self._people.values():
            if person.carrier not in alive:
                person.carrier = None
        over = [
            person.key
            for person in self._people.values()
            if person.carrier is None and exceeds(seconds - person.seconds, self._lost_seconds)
        ]
        for key in over:
            del self._people[key]
        self._give_up([carrier for carrier in self._questions if carrier not in alive])
        return over

    def _give_up(self, carriers: Sequence[int]) -> None:
        for carrier in carriers:
            del self._questions[carrier]
            self.counters["tracks.unanswered"] += 1

    def _carried_by(self, carrier: int) -> _Person | None:
        return next((person for person in self._people.values() if person.carrier == carrier), None)

    def _is_sure(self, person: _Person, one: Seen, seconds: float, planes: Planes) -> bool:
        if one.carrier in self._questions or self._is_doubtful(person, one, seconds, planes):
            return False
        return not self._parted(person, one)

    def _settled(
        self, own: _Person | None, one: Seen, seconds: float, planes: Planes, taken: Sequence[int | None]
    ) -> int | None:
        """Return whose face it is, None while that is open; ``taken`` holds the keys of people seen elsewhere in this frame."""
        if one.carrier not in self._questions:
            rivals = {key for key, other in self._people.items() if other is not own and self._may_be(other, one, seconds)}
            rivals = (rivals | (own.mixed if own is not None else set())).difference(taken)
            if own is None and not rivals:
                return self._begin(one, seconds).key
            self._questions[one.carrier] = _Question(seconds, rivals=rivals)
            self.counters["tracks.asked"] += 1
        return self._ask(own, one, seconds, planes, taken)

    def _is_doubtful(self, person: _Person, one: Seen, seconds: float, planes: Planes) -> bool:
        if exceeds(seconds - person.seconds, GAP_SECONDS) and self._turn - person.turn > 2:
            return True
        if self._turn - person.turn == 1 and jumped(person.box, one.box):
            return True
        patch = patch_of(planes.y, one.box)
        if person.patch is None or patch is None:
            return False
        alike = likeness(person.patch, patch)
        is_doubtful = changed(alike, person.usual)
        person.usual = usual_after(person.usual, alike)
        return is_doubtful

    def _parted(self, person: _Person, one: Seen) -> set[int]:
        """Return those of ``person.mixed`` who are now far enough away."""
        return {
            key
            for key in person.mixed
            if key not in self._people or distance_widths(self._people[key].box, one.box) > APART_WIDTHS
        }

    def _may_be(self, person: _Person, one: Seen, seconds: float) -> bool:
        """Whether a lost person may have reached this place by now."""
        gap_seconds = seconds - person.seconds
        if exceeds(gap_seconds, self._lost_seconds):
            return False
        widths = sorted((float(person.box[2]), float(one.box[2])))
        reach = _FIRST_REACH_WIDTHS + _REACH_WIDTHS_PER_SECOND * gap_seconds
        return widths[1] <= _GROWTH * widths[0] and distance_widths(person.box, one.box) <= reach

    def _ask(self, own: _Person | None, one: Seen, seconds: float, planes: Planes, taken: Sequence[int | None]) -> int | None:
        """Compare the face once more; return whose it is, None while that is open."""
        question = self._questions[one.carrier]
        may_be_hidden = not reaches(seconds - question.since_seconds, _HIDDEN_SECONDS)
        if own is not None and may_be_hidden and self._parted(own, one) != own.mixed:
            return None  # one may still be hiding the other
        question.looks += 1
        look = self._judge.look(planes, one.box, one.landmarks)
        vector = None if look is None else self._judge.vector(look)
        if vector is None:
            return self._close(own, own, one, seconds)  # a face that cannot be compared stays with its box
        question.vectors.append(vector)
        is_last = question.looks >= _MOST_LOOKS or self._is_seldom
        probe = mean_vector(question.vectors)
        rivals = [self._people[key] for key in question.rivals if key in self._people and key not in taken]
        best, best_cosine = _best(probe, rivals)
        cosine = None if own is None else own.faces.cosine(probe)
        limits = self._judge.limits(float(one.box[2]))
        if best is not None and best_cosine >= limits.same and (cosine is None or best_cosine > cosine):
            return self._close(own, best, one, seconds)
        if own is not None and (cosine is None or cosine >= (limits.even if is_last else limits.same)):
            return self._close(own, own, one, seconds)
        if is_last or (cosine is not None and cosine < limits.different):
            return self._close(own, None, one, seconds)
        return None

    def _close(self, own: _Person | None, whose: _Person | None, one: Seen, seconds: float) -> int:
        """Settle a question; ``whose`` is None for somebody new."""
        del self._questions[one.carrier]
        if own is not None:
            own.mixed -= self._parted(own, one)
        if whose is None:
            if own is not None:
                own.carrier = None
                self.counters["tracks.split"] += 1
            return self._begin(one, seconds).key
        if whose is not own:
            if own is not None:
                own.carrier = whose.carrier
            whose.carrier = one.carrier
            self.counters["tracks.joined"] += 1
        return whose.key

    def _begin(self, one: Seen, seconds: float) -> _Person:
        key = next(self._keys)
        person = self._people[key] = _Person(key, one.carrier, KnownFaces(self._judge), one.box, seconds, self._turn)
        return person

    def _saw(self, person: _Person, one: Seen, seconds: float, planes: Planes) -> None:
        person.box, person.seconds, person.turn = one.box, seconds, self._turn
        person.patch = patch_of(planes.y, one.box)
        if not person.mixed:
            person.faces.add(planes, one.box, one.landmarks, one.score, seconds)

    def _mix(self) -> None:
        """Note who is close to whom."""
        people = [person for person in self._people.values() if person.carrier is not None and self._turn - person.turn <= 2]
        if len(people) < 2:
            return
        near = np.argwhere(np.triu(distances_widths(np.stack([person.box for person in people])) < NEAR_WIDTHS, 1))
        for one, other in near.tolist():
            people[one].mixed.add(people[other].key)
            people[other].mixed.add(people[one].key)


def _best(probe: Float32, people: Sequence[_Person]) -> tuple[_Person | None, float]:
    best, best_cosine = None, -1.0
    for person in people:
        cosine = person.faces.cosine(probe)
        if cosine is not None and cosine > best_cosine:
            best, best_cosine = person, cosine
    return best, best_cosine
