"""Which node is to have which camera, for whatever nodes and cameras there are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from engine.fleet.file import FleetCamera
from engine.fleet.placement import next_moves, place
from engine.fleet.room import Node, estimate_of
from engine.fleet.view import Load

NAMES = ["a", "b", "c", "d"]


def camera(name: str, **more: object) -> FleetCamera:
    return FleetCamera(uri="rtsp://192.0.2.1/x", name=name, **more)  # type: ignore[arg-type]


cameras = st.lists(
    st.builds(
        camera,
        st.sampled_from([f"c{number}" for number in range(12)]),
        needs=st.sampled_from([{}, {"site": "north"}, {"site": "south"}]),
        prefers=st.lists(st.sampled_from(NAMES), max_size=2, unique=True).map(tuple),
        weight=st.sampled_from([0.5, 1.0, 3.0]),
    )
    | st.builds(camera, st.sampled_from(["p0", "p1"]), only=st.sampled_from(NAMES)),
    unique_by=lambda one: one.name,
    max_size=14,
)
nodes = st.lists(
    st.builds(
        Node,
        st.sampled_from(NAMES),
        labels=st.sampled_from([{}, {"site": "north"}, {"site": "south"}]),
        capacity=st.sampled_from([0.0, 2.0, 6.0]),
        estimate=st.sampled_from([0.0, 0.0, 3.0]),
        is_overloaded=st.booleans(),
        takes=st.booleans(),
        keeps=st.booleans(),
        refuses=st.dictionaries(st.sampled_from(["c0", "c1", "p0"]), st.just("no file"), max_size=2),
    ),
    unique_by=lambda one: one.name,
    max_size=4,
)
placements = st.dictionaries(st.sampled_from([f"c{number}" for number in range(12)] + ["p0", "p1"]), st.sampled_from(NAMES))


@given(cameras, nodes, placements)
def test_what_is_placed_may_be_there(wanted: list[FleetCamera], there: list[Node], now: dict[str, str]) -> None:
    found, by_name = place(wanted, there, now), {node.name: node for node in there}
    for one in wanted:
        name = found.nodes.get(one.name)
        if name is None:
            assert found.reasons[one.name]
            continue
        node = by_name[name]
        assert one.only in ("", name)
        assert all(node.labels.get(key) == value for key, value in one.needs.items())
        assert one.name not in node.refuses
        assert node.takes or now[one.name] == name, "only who takes cameras is given another one"
        if one.only and now.get(one.name) == name:
            continue
        if not node.keeps and now.get(one.name) == name:
            assert node.takes or found.reasons[one.name], "it stays on a node that it should leave, and why is said"
    for node in there:
        given_now = [one for one in wanted if found.nodes.get(one.name) == node.name and one.name not in found.reasons]
        assert not node.capacity or sum(one.weight for one in given_now) <= node.capacity + 1e-6


@given(cameras, nodes, placements)
def test_order_does_not_matter_and_nothing_moves_twice(
    wanted: list[FleetCamera], there: list[Node], now: dict[str, str]
) -> None:
    found = place(wanted, there, now)
    assert place(wanted[::-1], there[::-1], dict(reversed(now.items()))) == found
    all_stay = [replace(node, keeps=True) for node in there]
    again = place(wanted, all_stay, found.nodes).nodes
    placed = [one.name for one in wanted if one.name in found.nodes and one.name not in found.reasons]
    assert [again.get(name) for name in placed if not _over(there, found.nodes, wanted)] == [
        found.nodes[name] for name in placed if not _over(there, found.nodes, wanted)
    ]


def _over(there: list[Node], found: dict[str, str], wanted: list[FleetCamera]) -> bool:
    """Whether a node has more than it can have, as there is no room elsewhere."""
    used = {node.name: sum(one.weight for one in wanted if found.get(one.name) == node.name) for node in there}
    return any(node.capacity and used[node.name] > node.capacity for node in there)


@given(cameras, nodes, placements)
def test_only_what_must_move_does(wanted: list[FleetCamera], there: list[Node], now: dict[str, str]) -> None:
    roomy = [replace(node, capacity=0.0, keeps=True) for node in there]
    found, by_name = place(wanted, roomy, now), {node.name: node for node in roomy}
    for one in wanted:
        node = by_name.get(now.get(one.name, ""))
        may = node is not None and one.only in ("", node.name) and one.name not in node.refuses
        if may and node is not None and all(node.labels.get(key) == value for key, value in one.needs.items()):
            assert found.nodes[one.name] == node.name


def test_cameras_of_a_dead_node_spread_over_the_others() -> None:
    wanted = [camera(f"c{number}") for number in range(6)]
    now = {f"c{number}": "abc"[number % 3] for number in range(6)}
    there = [Node("a", takes=False, keeps=False), Node("b"), Node("c")]
    found = place(wanted, there, now).nodes
    assert {name: node for name, node in found.items() if now[name] != "a"} == {
        name: at for name, at in now.items() if at != "a"
    }
    assert sorted(found[name] for name, node in now.items() if node == "a") == ["b", "c"]


def test_reasons_are_told() -> None:
    gone = "absent since 2026-03-01 13:05:00 UTC"
    there = [
        Node("a", capacity=1.0),
        Node("b", takes=False, away="drained"),
        Node("c", labels={"site": "south"}, takes=False, away=gone),
        Node("d", refuses={"two": "there is no file door.txt"}, capacity=0.5),
    ]
    wanted = [
        camera("one"),
        camera("two"),
        camera("north", needs={"site": "north", "gpu": "1"}),
        camera("own", only="z"),
        camera("bound", only="b"),
    ]
    assert place(wanted, there, {"one": "a"}).reasons == {
        "two": f"no node can have it: a (full: 1 of 1), b (drained), c ({gone}), d (cannot read it: there is no file door.txt)",
        "north": "no node can have it: a, b, c, d (lacks the labels gpu=1 site=north)",
        "own": "only z may have it, and is not a node",
        "bound": "only b may have it (drained)",
    }
    assert place([camera("one")], [], {}).reasons == {"one": "there is no node"}
    assert place([camera("x")], [Node("b", takes=False)], {}).reasons == {
        "x": "no node can have it: b (accepts no cameras now)"
    }
    many = [Node(f"n{number}", capacity=0.5) for number in range(30)]
    assert (
        place([camera("x")], many, {})
        .reasons["x"]
        .endswith(": n0, n1, n10, n11, n12 and 25 more (full: 0 of 0.5, and it weighs 1)")
    )


def test_a_drained_node_is_left_by_one_camera_after_another() -> None:
    now = {"c0": "a", "c1": "a", "c2": "dead", "c3": "dead"}
    target = dict.fromkeys(now, "b")
    assert next_moves(now, target, {"a", "b"}, calm=True) == {"c0": "b", "c2": "b", "c3": "b"}
    assert next_moves(now, target, {"a", "b"}, calm=False) == {"c2": "b", "c3": "b"}
    assert next_moves({}, {"c0": "b"}, {"b"}, calm=False) == {"c0": "b"}, "nothing is interrupted"


def test_who_has_more_to_do_than_it_can_is_given_only_what_would_have_no_node() -> None:
    busy, idle = Node("a", is_overloaded=True), Node("b")
    assert place([camera("x", prefers=("a",))], [busy, idle], {}).nodes == {"x": "b"}
    assert place([camera("x")], [busy], {}).nodes == {"x": "a"}
    full, roomy = Node("a", estimate=1.0), Node("b", estimate=3.0)
    assert place([camera(f"c{number}") for number in range(3)], [full, roomy], {}).nodes == {"c0": "b", "c1": "b", "c2": "a"}
    assert place([camera("x"), camera("y")], [full], {"x": "a"}).nodes == {"x": "a", "y": "a"}


def test_an_estimate_is_what_the_load_allows() -> None:
    assert estimate_of(Load(cpu_share=0.4), 4.0) == 8.0
    assert estimate_of(Load(cpu_share=1.0), 4.0) == 3.2
    assert estimate_of(Load(cpu_share=0.01), 4.0) == 0.0
    assert estimate_of(Load(cpu_share=0.9), 0.0) == 0.0
