"""Any plan becomes any other, and who is in both is never touched."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.contracts.camera import Camera
from engine.pipeline.plan import Member, Pipe, Plan, downstream_first, plan_of
from engine.pipeline.reconcile import Action, Start, Stop, reconcile

cameras = st.builds(
    lambda settings: [Camera(f"c{name}", f"rtsp://host/{name}", "", detect_fps=fps) for name, fps in settings.items()],
    st.dictionaries(st.integers(0, 9), st.sampled_from([5.0, 10.0]), max_size=8),
)
plans = st.builds(
    plan_of, cameras, st.integers(0, 3), st.integers(1, 4), st.sampled_from([(), ("cuda:0",), ("cuda:0", "cuda:1")])
)


def random_plan(chance: random.Random) -> Plan:
    names = chance.sample(range(10), chance.randint(0, 8))
    wanted = [Camera(f"c{name}", f"rtsp://host/{name}", "", detect_fps=chance.choice([5.0, 10.0])) for name in names]
    return plan_of(wanted, chance.randint(0, 3), chance.randint(1, 4))


def random_remains(chance: random.Random) -> Plan:
    """What is left of a plan when some of its workers have died: all, some, or none of them live."""
    share = chance.choice([0.0, 0.3, 0.7, 1.0])
    return Plan({name: member for name, member in random_plan(chance).members.items() if chance.random() < share})


class World:
    """A simulation: workers that live, and the pipes whose two ends are held."""

    def __init__(self, plan: Plan) -> None:
        self.members = dict(plan.members)
        self.pipes = set(plan.pipes)
        self.touched: set[str] = set()

    def do(self, action: Action) -> None:
        match action:
            case Stop(name):
                assert name in self.members
                del self.members[name]
                self.pipes = {pipe for pipe in self.pipes if name not in pipe}
                self.touched.add(name)
            case Start(member):
                assert member.name not in self.members, "one name, one worker"
                self.members[member.name] = member
                self.pipes |= {pipe for pipe in Plan(self.members).pipes if member.name in pipe}
                self.touched.add(member.name)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_the_actions_reach_what_is_desired_and_touch_nobody_else(seed: int):
    """Sixty pairs an example, thousands in all: to make each of them shrinkable would take minutes."""
    chance = random.Random(seed)
    for _ in range(60):
        check(random_plan(chance), random_remains(chance))


def check(desired: Plan, actual: Plan) -> None:
    world = World(actual)
    actions = reconcile(desired, actual)
    for action in actions:
        world.do(action)
    assert world.members == dict(desired.members)
    assert world.pipes == set(desired.pipes)
    same = {name for name, member in desired.members.items() if actual.members.get(name) == member}
    assert not world.touched & same
    assert reconcile(desired, Plan(world.members)) == [], "there is nothing left to do"
    kinds = [isinstance(action, Stop) for action in actions]
    assert kinds == sorted(kinds, reverse=True), "stops come first"


@settings(max_examples=25, deadline=None)
@given(plans)
def test_who_reads_is_started_before_who_writes(desired: Plan):
    order = [action.member.name for action in reconcile(desired, Plan()) if isinstance(action, Start)]
    assert all(order.index(pipe.reader) < order.index(pipe.writer) for pipe in desired.pipes)
    assert [member.name for member in downstream_first(desired.members.values())] == order


@settings(max_examples=25, deadline=None)
@given(plans, cameras)
def test_a_change_of_cameras_concerns_only_their_workers(plan: Plan, wanted: list[Camera]):
    actions = reconcile(plan.with_cameras(wanted), plan)
    names = {action.name if isinstance(action, Stop) else action.member.name for action in actions}
    assert all(name.startswith("camera-") for name in names)
    assert plan.with_cameras(wanted).cameras == {f"camera-{camera.name}": camera for camera in wanted}


def test_the_flow_of_a_run():
    plan = plan_of([Camera("a", "rtsp://h/1", "")], 1, 2)
    assert plan.pipes == [
        Pipe("camera-a", "perceive"),
        Pipe("decode-1", "perceive"),
        Pipe("perceive", "enhance-1"),
        Pipe("perceive", "enhance-2"),
        Pipe("enhance-1", "publish"),
        Pipe("enhance-2", "publish"),
    ]
    assert plan.of("enhance", "publish") == ["enhance-1", "enhance-2", "publish"]
    changed = plan.with_cameras([Camera("a", "rtsp://h/1", "", detect_fps=3.0)])
    assert reconcile(changed, plan) == [
        Stop("camera-a"), Start(Member("camera-a", "camera", changed.cameras["camera-a"]))
    ]  # fmt: skip


def test_who_computes_for_the_others_is_there_before_them_and_has_no_pipes():
    plan = plan_of([Camera("a", "rtsp://h/1", "")], 0, 2, ["cuda:0"])
    member = Member("inference-cuda-0", "inference", device="cuda:0")
    assert reconcile(plan, Plan())[0] == Start(member)
    assert not any(member.name in pipe for pipe in plan.pipes)
    assert plan.with_cameras([]).of("inference") == [member.name]
