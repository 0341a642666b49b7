"""``engine.jobs.joins``: whatever is seen where, the chain of segments is one run's."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from engine.contracts.recording import Start
from engine.jobs.joins import Chain, Done, chain_of
from engine.jobs.pieces import Ending, Point
from engine.jobs.scan import Key, Scan
from engine.jobs.segments import WHOLE, Segment, segments_of

GOP, FPS, LOST = 20, 10, 15


@dataclass
class World:
    """A recording in which people come and go. Who begins in the middle of a visit follows it somewhat longer or shorter."""

    frames: int
    visits: Sequence[tuple[int, int]]
    shifted: frozenset[int] = frozenset()
    """First frames of segments that number or decode their frames wrongly."""
    unfit: frozenset[int] = frozenset()
    done: dict[Segment, Done] = field(default_factory=dict)
    looked_at: int = 0

    @property
    def scan(self) -> Scan:
        keys = [Key(index, index - 1, index, index / FPS, index, 0.0) for index in range(0, self.frames, GOP)]
        return Scan(self.frames, self.frames / FPS, keys)

    def followed(self, began: int, frame: int) -> frozenset[int]:
        """Return whom a run that began at a frame follows after another."""
        return frozenset(
            number for number, (come, go) in enumerate(self.visits)
            if began < go and max(come, began) <= frame < go + (LOST if come >= began else LOST + (began * 7) % 11 - 5)
        )  # fmt: skip

    def process(self, segment: Segment) -> None:
        first, points = segment.first_frame, dict[int, Point]()
        if segment.start is not None:
            if first in self.unfit:
                self.done[segment] = Done("unfit", first - 1, {})
                return
            points[first - 1] = self._point(first - 1, first)
        ending, last = self._run(segment, points)
        self.looked_at += last + 1 - first
        self.done[segment] = Done(ending, last, points)

    def _run(self, segment: Segment, points: dict[int, Point]) -> tuple[Ending, int]:
        met = False
        for frame in range(segment.first_frame, self.frames):
            is_asked = frame == segment.stop_after or frame in segment.joins
            if (frame % 8 == 0 or is_asked) and frame > segment.first_frame and not self.followed(segment.first_frame, frame):
                met, points[frame] = True, self._point(frame, segment.first_frame)
                if frame in segment.joins or (segment.stop_after is not None and frame >= segment.stop_after):
                    return "joined", frame
            if segment.patience is not None and not met and frame - segment.first_frame >= segment.patience:
                return "busy", frame
        return "end", self.frames - 1

    def _point(self, frame: int, began: int) -> Point:
        return Point(frame, frame, frame / FPS, 0, False, luma=began if began in self.shifted else 0, next_track_id=1)


def run(world: World, seconds: float, order: random.Random) -> Chain:
    """Process segments in any order until the chain is whole."""
    planned = segments_of(world.scan, seconds)
    todo = list(planned)
    for _ in range(500):
        order.shuffle(todo)
        world.process(todo.pop())
        chain = chain_of(planned, world.done, world.scan.keys)
        if chain.is_whole:
            return chain
        todo += [segment for segment in chain.todo if segment not in todo]
        assert todo, "somebody waits for nothing"
    raise AssertionError("it comes to no end")


def check(world: World, chain: Chain) -> None:
    expected = 0
    for link in chain.links:
        assert link.first_frame == expected
        for frame in range(link.first_frame, link.last_frame + 1):
            assert world.followed(link.segment.first_frame, frame) == world.followed(0, frame)
        expected = link.last_frame + 1
    assert expected == world.frames
    assert chain.frames == world.frames


VISITS = st.lists(st.tuples(st.integers(0, 590), st.integers(1, 200)).map(lambda one: (one[0], one[0] + one[1])), max_size=12)


@given(VISITS, st.integers(1, 600), st.floats(3, 40), st.randoms(use_true_random=False))
def test_the_chain_follows_whom_one_run_follows(visits, frames, seconds, order):
    world = World(frames, visits)
    check(world, run(world, seconds, order))


@given(VISITS, st.sets(st.integers(1, 30)), st.sets(st.integers(1, 30)), st.randoms(use_true_random=False))
def test_segments_that_read_something_else_are_left_out(visits, shifted, unfit, order):
    world = World(600, visits, frozenset(GOP * one for one in shifted), frozenset(GOP * one for one in unfit))
    chain = run(world, 8.0, order)
    check(world, chain)
    assert not {link.segment.first_frame for link in chain.links} & (world.unfit | world.shifted)


def test_where_nobody_is_nothing_is_done_twice():
    world = World(600, [])
    chain = run(world, 10.0, random.Random(1))
    assert len(chain.links) == 6
    assert world.looked_at == 600


def test_where_somebody_always_is_the_first_segment_goes_on_to_the_end():
    world = World(2000, [(0, 2000)])
    chain = run(world, 50.0, random.Random(1))
    assert len(chain.links) == 1
    assert world.looked_at < 2000 + 3 * 260


def test_two_that_do_not_meet_at_once_are_joined_by_a_third():
    world = World(800, [(195, 205), (207, 230)])
    planned = segments_of(world.scan, 20.0)
    for segment in planned:
        world.process(segment)
    ends = world.done[planned[0]].last_frame
    successor = world.done[planned[1]]
    world.done[planned[1]] = Done(
        successor.ending, successor.last_frame, {at: point for at, point in successor.points.items() if at > ends + 30}
    )
    chain = chain_of(planned, world.done, world.scan.keys)
    [rest] = chain.todo
    assert rest.first_frame == ends + 1
    world.process(rest)
    whole = chain_of(planned, world.done, world.scan.keys)
    assert [link.segment for link in whole.links] == [planned[0], rest, *planned[1:]]
    check(world, whole)


def test_what_cannot_be_carried_on_is_read_as_a_whole():
    start = Start(40, 39, 1, 20, 0.0)
    planned = [Segment(None, 39), Segment(start)]
    points = {39: Point(39, None, 3.9, 0, False, 0, 1)}
    done = {planned[0]: Done("joined", 39, points), planned[1]: Done("unfit", 39, {})}
    assert chain_of(planned, done).todo == (WHOLE,)
    assert chain_of(planned, done | {WHOLE: Done("end", 99, {})}).links[0].last_frame == 99
