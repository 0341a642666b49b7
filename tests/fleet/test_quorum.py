"""No camera is ever read by two nodes, whatever links, nodes and the database do."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fleet.world import DATABASE, STEP, TIMING, World

LONG = TIMING.lease * 3


def run(world: World, seconds: float) -> None:
    for _ in range(round(seconds / STEP)):
        world.advance()
        assert len(world.runners) <= 1, f"{world.runners} both read it at {world.now}"


def settled_world(count: int) -> World:
    world = World([chr(ord("a") + number) for number in range(count)])
    run(world, LONG)
    assert world.runners == ["a"]
    return world


def cut(world: World, *pairs: tuple[str, str], one_way: bool = False) -> None:
    for one, other in pairs:
        world.cut |= {(one, other)} if one_way else {(one, other), (other, one)}


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("fails", ["killed", "cut", "hung"])
def test_cameras_of_a_node_that_is_gone_move_and_come_to_no_harm(count: int, fails: str) -> None:
    world = settled_world(count)
    match fails:
        case "killed":
            world.kill("a")
        case "cut":
            cut(world, *(("a", other) for other in [DATABASE, *world.names[1:]]))
        case "hung":
            world.machines["a"].hung = True
    run(world, TIMING.lease + 1.0)
    assert world.runners == ["b"], "within a second after its lease"
    world.cut.clear()
    world.machines["a"].hung = False
    world.start("a")
    run(world, LONG)
    assert world.runners == ["b"]
    assert world.moved == 1


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("hangs", [False, True])
def test_without_the_database_all_go_on(count: int, hangs: bool) -> None:
    world = settled_world(count)
    world.database_up, world.database_hangs = hangs, hangs
    for _ in range(round(LONG * 3 / STEP)):
        run(world, STEP)
        assert world.runners == ["a"]
    world.database_up, world.database_hangs = True, False
    for _ in range(round(LONG / STEP)):
        run(world, STEP)
        assert world.runners == ["a"], "nor is it disturbed when the database is back"
    assert world.moved == 0


@pytest.mark.parametrize(("count", "others", "keeps"), [(2, "", False), (3, "b", True), (4, "b", False), (4, "bc", True)])
def test_more_than_half_without_the_database_keep_theirs(count: int, others: str, keeps: bool) -> None:
    world = settled_world(count)
    cut(world, *((name, DATABASE) for name in "a" + others))
    run(world, LONG)
    assert world.runners == (["a"] if keeps else [world.placed])
    assert (world.placed == "a") is keeps


def test_two_of_three_that_see_nothing_stop() -> None:
    world = settled_world(3)
    world.database_up = False
    cut(world, ("a", "b"), ("a", "c"))
    run(world, LONG)
    assert world.runners == [], "it cannot know what the others do"
    world.cut.clear()
    run(world, LONG)
    assert world.runners == [], "nor what they did meanwhile"
    world.database_up = True
    run(world, LONG)
    assert world.runners == ["a"]


def test_a_database_that_only_one_finds_again_moves_nothing_before_the_other_has_stopped() -> None:
    world = settled_world(2)
    world.database_up = False
    run(world, LONG)
    cut(world, ("a", DATABASE))
    world.database_up = True
    run(world, LONG)
    assert world.runners == ["b"]


def test_who_finds_the_database_again_does_not_count_at_once() -> None:
    world = settled_world(4)
    cut(world, ("a", DATABASE), ("b", DATABASE), ("d", DATABASE))
    run(world, LONG)
    assert world.runners == ["a"], "three of four"
    world.cut -= {("b", DATABASE), (DATABASE, "b")}
    run(world, LONG)
    assert world.runners == [world.placed] != ["a"], "two of four have it, and two have not"


def test_what_was_over_is_not_prolonged() -> None:
    world = settled_world(3)
    cut(world, ("a", DATABASE), ("a", "b"), ("a", "c"))
    run(world, LONG)
    assert world.runners == ["b"]
    world.cut -= {("a", "c"), ("c", "a")}
    cut(world, ("c", DATABASE))
    for _ in range(3):
        world.kill("a")
        world.start("a")
        run(world, TIMING.lease / 2)
    assert world.runners == ["b"], "two of three lack the database, but b was given the camera before"


@pytest.mark.parametrize("way", [("a", DATABASE), (DATABASE, "a"), ("a", "b"), ("b", "a")])
@pytest.mark.parametrize("also_dead", [False, True])
def test_a_link_that_carries_one_way_only(way: tuple[str, str], also_dead: bool) -> None:
    world = settled_world(3)
    cut(world, way, one_way=True)
    if also_dead:
        world.database_up = False
    run(world, LONG)
    world.database_up = True
    world.cut.clear()
    run(world, LONG)
    assert len(world.runners) == 1


def events(count: int) -> st.SearchStrategy[Callable[[World], object]]:
    """Return what may happen to a world of so many nodes."""
    names = [chr(ord("a") + number) for number in range(count)]
    places = [*names, DATABASE]
    pair = st.tuples(st.sampled_from(places), st.sampled_from(places)).filter(lambda both: both[0] != both[1])
    return st.one_of(
        st.builds(lambda one: lambda world: world.cut.add(one), pair),
        st.builds(lambda one: lambda world: cut(world, one), pair),
        st.builds(lambda one: lambda world: world.cut.difference_update({one, one[::-1]}), pair),
        st.just(lambda world: world.cut.clear()),
        st.builds(lambda up: lambda world: setattr(world, "database_up", up), st.booleans()),
        st.builds(lambda hangs: lambda world: setattr(world, "database_hangs", hangs), st.booleans()),
        st.builds(lambda name: lambda world: world.kill(name), st.sampled_from(names)),
        st.builds(lambda name: lambda world: world.start(name), st.sampled_from(names)),
        st.builds(partial(_hang), st.sampled_from(names), st.booleans()),
        st.builds(lambda name: lambda world: setattr(world, "placed", name), st.sampled_from(names)),
    )


def _hang(name: str, hung: bool) -> Callable[[World], object]:
    return lambda world: setattr(world.machines[name], "hung", hung)


stories = st.integers(1, 4).flatmap(
    lambda count: st.tuples(
        st.just(count), st.lists(st.tuples(events(count), st.sampled_from([0.25, 0.5, 1.0, 2.0, 4.0, 7.0, 13.0])), max_size=24)
    )
)


@settings(max_examples=120, deadline=None)
@given(stories)
def test_never_two(story: tuple[int, list[tuple[Callable[[World], object], float]]]) -> None:
    count, happens = story
    world = settled_world(count)
    for event, seconds in happens:
        event(world)
        run(world, seconds)
    world.cut.clear()
    world.database_up, world.database_hangs = True, False
    for name in world.names:
        world.machines[name].hung = False
        world.start(name)
    run(world, LONG)
    assert world.runners == [world.placed], "and in the end somebody does"
