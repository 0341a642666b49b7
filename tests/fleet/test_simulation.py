"""The simulations of ``tests/bench/fleet``: the same each time, and true to what must hold of any site, cluster and list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.fleet.archive import Archive, Cluster
from tests.bench.fleet.cameras import Fleet, Made, Site
from tests.bench.fleet.load import Load
from tests.bench.fleet.measured import Kind, Measured, Scene
from tests.bench.fleet.placed import kinds_of
from tests.bench.fleet.predict import Contention, predict

KIND = Kind("h264", 640, 360, 10, [0.001, 0.002], [0.006, 0.008])
SCENES = [Scene("empty", 10.0, 0, 0, 0.0005), Scene("busy", 10.0, 20, 2, 0.002)]
MEASURED = Measured("none", 2, 0.0, [KIND] * 4, [0.05, 0.1], [0.02], {"camera": SCENES, "recording": SCENES}, [0.1, 0.2], 0.3)
CALM = Site(
    cameras=30, nodes=6, cores=8, days=1.0, node_days=1e9, placer_days=1e9, cut_days=1e9, upgrade_days=1e9, outage_days=1e9
)
CLUSTER = Cluster(hours=20.0, nodes=3, cores=4, worker_hours=1e9, node_hours=1e9, driver_restarts_seconds=())


def site(seed: int = 1, **changed: object) -> tuple[Made, Fleet]:
    wanted = replace(CALM, **changed)
    load = Load(MEASURED, kinds_of(wanted.cameras, seed), wanted.quiet, wanted.night, seed)
    fleet = Fleet(MEASURED, wanted, load, seed)
    return fleet.run(), fleet


def test_where_nothing_happens_no_camera_is_dark() -> None:
    made, _ = site()
    assert dict(made.dark) == {}
    assert made.moves == CALM.cameras
    assert made.node_minutes == pytest.approx(CALM.days * 24 * 60 * CALM.nodes, rel=0.01)


def test_the_same_seed_is_the_same_history() -> None:
    one, other = (site(node_days=0.5, upgrade_days=0.5)[0] for _ in range(2))
    assert (one.dark, one.use, one.events) == (other.dark, other.use, other.events)
    assert site(2, node_days=0.5)[0].dark != one.dark


def test_cameras_of_a_dead_node_have_a_picture_again_within_a_lease_and_a_connection() -> None:
    made, _ = site(days=3.0, node_days=2.0, repair_hours=0.5, key_seconds=0.0)
    assert made.events["node died"] > 0
    seconds = [one for cause in ("node died", "placer's node died") for one in made.dark[cause]]
    assert seconds
    assert min(seconds) >= 6.0 - 0.75
    assert max(seconds) <= 6.0 + 2 * 0.75 + 0.2


def test_while_the_database_is_away_nobody_takes_over() -> None:
    made, _ = site(days=3.0, outage_days=0.7, outage_minutes=60.0, node_days=0.5)
    assert made.events["database away"] > 0
    assert max(made.dark["node died, database away"]) > 60.0


def test_an_upgrade_moves_cameras_one_after_another() -> None:
    made, _ = site(upgrade_days=0.3, key_seconds=0.0)
    assert made.events["upgrade of all"] >= 2
    assert len(made.dark["drained"]) >= CALM.cameras
    assert max(made.dark["drained"]) <= 0.2 + 1e-6


def test_an_archive_is_done_and_all_its_work_is_useful_where_nothing_dies() -> None:
    made = Archive(MEASURED, KIND, CLUSTER, 1).run()
    assert (made.wasted_core_hours, made.repeated, made.set_aside) == (0.0, 0, 0)
    assert made.useful_core_hours / 12 <= made.makespan_hours
    assert made.utilisation > 0.8


def test_an_archive_is_done_in_spite_of_deaths() -> None:
    deadly = replace(CLUSTER, worker_hours=1.0, node_hours=0.2, repair_seconds=300.0, driver_restarts_seconds=(600.0,))
    calm, made = (Archive(MEASURED, KIND, one, 1).run() for one in (CLUSTER, deadly))
    assert made.worker_deaths
    assert made.node_deaths
    assert made.useful_core_hours == pytest.approx(calm.useful_core_hours)
    assert made.wasted_core_hours > 0
    assert made.makespan_hours > calm.makespan_hours


@given(st.lists(st.floats(0.1, 20.0), min_size=1, max_size=20), st.integers(1, 6), st.integers(1, 3))
def test_a_list_takes_no_less_than_its_work_and_no_more_than_one_process(
    costs: list[float], processes: int, cores: int
) -> None:
    placed = [number % cores for number in range(processes)]
    seconds = predict(costs, placed, cores, Contention(1.0, 1.0))
    assert sum(costs) / min(cores, processes) - 1e-6 <= seconds <= sum(costs) + 1e-6
    slower = predict(costs, placed, cores, Contention(1.2, 1.1))
    assert seconds - 1e-6 <= slower <= seconds * 1.32 + 1e-6
