"""Each node gets its share, with few moves, for whatever nodes and cameras there are."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fleet.even import even_out
from engine.fleet.file import FleetCamera
from engine.fleet.placement import place
from engine.fleet.room import Node, fits, why_never
from tests.fleet.test_placement import NAMES, camera, cameras, nodes, placements


def homes(wanted: list[FleetCamera], there: list[Node], now: dict[str, str]) -> dict[str, str]:
    """Where cameras are that have moved as they were told."""
    return now | {move.camera: move.after for move in even_out(wanted, there, now)}


def weights(wanted: list[FleetCamera], there: list[Node], now: dict[str, str]) -> dict[str, float]:
    return {node.name: sum(one.weight for one in wanted if now.get(one.name) == node.name) for node in there}


@settings(max_examples=50)
@given(cameras, nodes, placements)
def test_asked_again_nothing_moves_and_order_does_not_matter(
    wanted: list[FleetCamera], there: list[Node], now: dict[str, str]
) -> None:
    after = homes(wanted, there, now)
    assert even_out(wanted, there, after) == []
    assert even_out(wanted[::-1], there[::-1], dict(reversed(now.items()))) == even_out(wanted, there, now)


@settings(max_examples=50)
@given(cameras, nodes, placements)
def test_a_camera_goes_only_where_it_may_be_and_no_node_gets_more_than_it_can_have(
    wanted: list[FleetCamera], there: list[Node], now: dict[str, str]
) -> None:
    by_name, known = {one.name: one for one in wanted}, {node.name: node for node in there}
    moves = even_out(wanted, there, now)
    used = weights(wanted, there, homes(wanted, there, now))
    for move in moves:
        one, node = by_name[move.camera], known[move.after]
        assert now[move.camera] == move.before != move.after
        assert node.takes
        assert known[move.before].keeps
        assert not why_never(one, node)
        assert not one.only
        assert not node.is_overloaded
        assert not node.capacity or used[node.name] <= node.capacity + 1e-6
        assert not node.estimate or used[node.name] <= node.estimate + 1e-6


@settings(max_examples=50)
@given(cameras, nodes, placements)
def test_two_nodes_that_could_exchange_a_camera_end_less_than_one_apart(
    wanted: list[FleetCamera], there: list[Node], now: dict[str, str]
) -> None:
    equal = [Node(node.name, labels=node.labels, capacity=node.capacity) for node in there]
    plain = [camera(one.name, needs=one.needs, weight=one.weight) for one in wanted]
    after = homes(plain, equal, now)
    used = weights(plain, equal, after)
    for giver, taker in permutations(equal, 2):
        for one in plain:
            if after.get(one.name) == giver.name and not why_never(one, taker) and fits(one, taker, used):
                assert used[giver.name] - used[taker.name] < 2 * one.weight


@settings(max_examples=50)
@given(st.lists(st.sampled_from(NAMES), max_size=20), st.integers(1, 4))
def test_no_more_move_than_must(at: list[str], count: int) -> None:
    """Of equal cameras and nodes: those above their share, and no other."""
    there = [Node(name) for name in NAMES[:count]]
    now = {f"c{number}": NAMES[NAMES.index(name) % count] for number, name in enumerate(at)}
    held = sorted(Counter(dict.fromkeys(NAMES[:count], 0) | Counter(now.values())).values(), reverse=True)
    share, more = divmod(len(now), count)
    least = sum(max(0, one - share - (number < more)) for number, one in enumerate(held))
    assert len(even_out([camera(name) for name in now], there, now)) == least


def test_a_node_that_has_come_gets_its_share_by_size() -> None:
    now = {f"c{number:02}": "ab"[number % 2] for number in range(12)}
    wanted = [camera(name) for name in now]
    moves = even_out(wanted, [Node("a", size=8), Node("b", size=8), Node("c", size=16)], now)
    assert Counter((move.before, move.after) for move in moves) == {("a", "c"): 3, ("b", "c"): 3}
    assert even_out(wanted, [Node("a"), Node("b"), Node("c", takes=False)], now) == []


def test_a_camera_stays_where_it_would_rather_be() -> None:
    now = {"c0": "a", "c1": "a"}
    wanted = [camera("c0", prefers=("a",)), camera("c1", prefers=("b", "a"))]
    assert [tuple(move) for move in even_out(wanted, [Node("a"), Node("b")], now)] == [("c1", "a", "b")]
    assert even_out([camera("c0", only="a"), camera("c1", prefers=("a",))], [Node("a"), Node("b")], now) == []


def test_who_has_been_overloaded_for_long_gives_one_where_another_has_less_to_do() -> None:
    now = {f"c{number}": "a" for number in range(4)}
    wanted = [camera(name) for name in now]
    busy = Node("a", is_overloaded=True, gives=True)
    assert Counter(place(wanted, [busy, Node("b")], now).nodes.values()) == {"a": 3, "b": 1}
    assert place(wanted, [busy, Node("b", is_overloaded=True)], now).nodes == now
    assert place(wanted, [busy, Node("b", capacity=0.5)], now).nodes == now
    assert place(wanted, [Node("a", is_overloaded=True), Node("b")], now).nodes == now, "it may be over in a moment"
    even = {"c0": "a", "c1": "b", "c2": "a", "c3": "b"}
    assert place(wanted, [busy, Node("b")], even).nodes == even, "the other one would be as full"
    on_its_way = place([*wanted, camera("new")], [busy, Node("b")], now).nodes
    assert (on_its_way.pop("new"), on_its_way) == ("b", now), "one thing after another"


def test_a_wish_moves_a_camera_where_it_can_be() -> None:
    now = {"c0": "a", "c1": "a", "c2": "b"}
    wanted = [camera(name) for name in now]
    there = [Node("a"), Node("b", capacity=2.0), Node("c", takes=False)]
    assert place(wanted, there, now, {"c0": "b"}).nodes == now | {"c0": "b"}
    assert place(wanted, there, now, {"c0": "b", "c1": "b"}).nodes == now | {"c0": "b"}, "it has room for one"
    assert place(wanted, there, now, {"c0": "c", "c1": "nobody", "gone": "b"}).nodes == now
    own = [camera("c0", needs={"site": "north"}), *wanted[1:]]
    assert place(own, [Node("a", labels={"site": "north"}), Node("b")], now, {"c0": "b"}).nodes == now
