"""Which segments follow each other, and what is still to be processed where two do not meet.

Two runs over a recording that are both at a join point after the same frame go on in the same way: what follows is the same
whichever of them makes it. A recording is joined where that is so and nowhere else: where a segment has ended and its successor
was following somebody, it is carried on from there until both have nobody to follow, through all of the next one if need be.

Nothing has to be agreed upon while segments are processed: each is a matter of the recording and of its ``Segment`` alone, and
what they have left decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.jobs.pieces import Ending, Point
from engine.jobs.scan import Key
from engine.jobs.segments import WHOLE, Segment, start_before

_USABLE: tuple[Ending, ...] = ("joined", "end")


@dataclass(frozen=True)
class Done:
    """A segment that was processed."""

    ending: Ending
    last_frame: int
    points: Mapping[int, Point]
    """By frame, in order."""


@dataclass(frozen=True)
class Link:
    """What of a segment becomes part of the whole."""

    segment: Segment
    after: Point | None
    """Its results up to this point go; None: it begins where the link before ends, or with the recording."""
    first_frame: int
    """Of those that are looked at in it, and count."""
    last_frame: int


@dataclass(frozen=True)
class Chain:
    """How far a recording has come."""

    links: tuple[Link, ...]
    is_whole: bool
    """They reach the recording's end."""
    todo: tuple[Segment, ...] = ()
    """Segments that are to be processed beside those of the plan; none while it is waited for one of these."""

    @property
    def frames(self) -> int:
        """Frames that count."""
        return sum(link.last_frame + 1 - link.first_frame for link in self.links)


def chain_of(planned: Sequence[Segment], done: Mapping[Segment, Done], keys: Sequence[Key] = ()) -> Chain:
    """Return what the segments that are done make of a recording.

    Args:
        planned: all segments of the plan, the first from the recording's beginning.
        done: those of the plan that were processed, and those of ``todo`` that earlier calls have asked for.
        keys: of the recording's ``Scan``.
    """
    if WHOLE in done:
        return _in_one_piece(done)
    links: list[Link] = []
    current, after = planned[0], None
    refuted: set[Segment] = set()
    while (state := done.get(current)) is not None:
        if state.ending not in _USABLE:
            return _in_one_piece(done)
        first = 0 if after is None else after.frame_index + 1
        links.append(Link(current, after, first, state.last_frame))
        if state.ending == "end":
            return Chain(tuple(links), is_whole=True)
        end = state.points[state.last_frame]
        linked = {link.segment for link in links}
        refuted |= {one for one, other in done.items() if one not in linked and _contradicts(other, state, first)}
        usable = {one: other for one, other in done.items() if one not in linked | refuted and other.ending in _USABLE}
        following = _meeting(usable, end)
        if following is None:
            rest = _carried_on(planned, usable, end, keys)
            if rest is None or rest in done:  # it was read from here, and did not come to the same frame
                return _in_one_piece(done)
            is_open = any(one not in done and one.first_frame <= end.frame_index + 1 for one in planned)
            return Chain(tuple(links), is_whole=False, todo=() if is_open else (rest,))
        current, after = following, done[following].points[end.frame_index]
    return Chain(tuple(links), is_whole=False)


def _in_one_piece(done: Mapping[Segment, Done]) -> Chain:
    """What cannot be read from its middle is processed as a whole."""
    if (whole := done.get(WHOLE)) is None:
        return Chain((), is_whole=False, todo=(WHOLE,))
    return Chain((Link(WHOLE, None, 0, whole.last_frame),), is_whole=True)


def _contradicts(other: Done, state: Done, first: int) -> bool:
    """Whether a segment has read something else than the chain, whose frames from ``first`` on are of ``state``: it numbers or
    decodes them otherwise."""
    points = state.points
    return any(index in points and points[index].key != point.key for index, point in other.points.items() if index >= first)


def _meeting(usable: Mapping[Segment, Done], end: Point) -> Segment | None:
    """Return the segment that goes on behind a point, of several the one that goes on for longest."""
    meeting = [one for one, other in usable.items() if end.frame_index in other.points and other.last_frame > end.frame_index]
    return max(meeting, key=lambda one: usable[one].last_frame, default=None)


def _carried_on(planned: Sequence[Segment], usable: Mapping[Segment, Done], end: Point, keys: Sequence[Key]) -> Segment | None:
    """Return the segment that goes on behind a point until it meets what has been done, or the next of the plan begins; None:
    no reader can begin there."""
    after = end.frame_index
    start = None if end.pts is None else start_before(keys, after + 1, end.pts, end.phase + 1)
    if start is None:
        return None
    ahead = [one for one, other in usable.items() if other.last_frame > after]
    if ahead:
        target = usable[min(ahead, key=lambda one: one.first_frame)]
        joins = tuple(index for index in target.points if index > after)
        last = target.last_frame
        return Segment(start, last if target.ending == "joined" else None, last - after, None, joins)
    following = [one.first_frame - 1 for one in planned if one.first_frame > after + 1]
    stop_after = min(following, default=None)
    return Segment(start, stop_after, 0 if stop_after is None else stop_after - after)
