"""The fleet over HTTP: with a real database, while that is away, and where there is none."""

from __future__ import annotations

import asyncio
import re

from prometheus_client import CollectorRegistry, generate_latest

from engine.errors import DatabaseError
from engine.fleet.file import Fleet, FleetCamera
from engine.fleet.store import apply
from engine.postgres.connection import connect
from engine.web.fleet import FleetCache, FleetSeen
from engine.web.fleet_metrics import fleet_families
from engine.web.metrics import _Families
from tests.servers.postgres import PostgresServer, require_postgres
from tests.web.fleets import fleet
from tests.web.server import Server
from tests.web.test_metrics import DOCUMENT


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def metrics(seen: FleetSeen) -> str:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(fleet_families(seen)))
    return generate_latest(registry).decode()


def test_a_service_that_is_no_node_says_so(web: Server) -> None:
    answer = web.ask("GET", "/api/v1/fleet")
    assert (answer.status, answer.code) == (404, "not_found")
    assert "fleet.database" in answer.json["error"]["message"]
    assert web.ask("GET", "/api/v1/session").json["fleet"] is False
    assert "facestream_fleet" not in web.ask("GET", "/metrics").body.decode()


def test_what_the_database_said_last_is_kept_while_it_is_away() -> None:
    require_postgres()
    clock = Clock()
    with PostgresServer() as server:
        where = server.database("fleet")
        cache = FleetCache(where, "box-1", clock=clock)

        async def play() -> list[FleetSeen]:
            seen = [await cache.get()]
            with connect(where, application="test") as connection:
                apply(connection, Fleet(cameras=(FleetCamera(uri="rtsp://192.0.2.1/1", name="door"),)))
            clock.now += 10.0
            seen.append(await cache.get())
            server.stop(kill=True)
            clock.now += 2.0
            seen.append(await cache.get())
            server.start()
            clock.now += 3.0
            seen.append(await cache.get())  # it is not asked again so soon
            clock.now += 3.0
            seen.append(await cache.get())
            await cache.close()
            return seen

        no_tables, first, away, still_away, back = asyncio.run(play())
    assert no_tables.fleet is None
    assert "facestream fleet apply" in no_tables.problem
    assert first.problem == ""
    assert [camera.name for camera in first.fleet.cameras] == ["door"]
    assert away.fleet == first.fleet
    assert (away.age_seconds, still_away.age_seconds) == (2.0, 5.0)
    assert server.url.rpartition("/")[0] in away.problem
    assert (back.problem, back.age_seconds, back.node) == ("", 0.0, "box-1")


def test_the_database_is_asked_once_a_second_at_most() -> None:
    asked, clock = list[float](), Clock()

    def look(connection: object) -> object:
        asked.append(clock.now)
        raise DatabaseError("the database is away")

    cache = FleetCache("postgresql://192.0.2.1/x", "box-1", look=look, clock=clock)
    cache._connection = _Nothing()

    async def play() -> None:
        for _ in range(3):
            await cache.get()

    asyncio.run(play())
    assert len(asked) == 1


class _Nothing:
    def close(self) -> None:
        """Nothing is open."""


def test_metrics_tell_of_every_node() -> None:
    said = metrics(FleetSeen(fleet=fleet(), age_seconds=1.5, node="box-1"))
    for line in (
        "facestream_fleet_up 1.0",
        "facestream_fleet_age_seconds 1.5",
        "facestream_fleet_quorum 1.0",
        "facestream_fleet_cameras 18.0",
        "facestream_fleet_cameras_without_node 2.0",
        'facestream_fleet_node_up{fleet_node="box-1"} 1.0',
        'facestream_fleet_node_up{fleet_node="box-3"} 0.0',
        'facestream_fleet_node_cameras{fleet_node="box-1"} 12.0',
        'facestream_fleet_node_capacity{fleet_node="box-1"} 40.0',
        'facestream_fleet_node_drained{fleet_node="box-2"} 1.0',
        'facestream_fleet_node_lease_age_seconds{fleet_node="box-3"} 754.0',
    ):
        assert line in said.splitlines(), line


def test_every_metric_is_documented_and_every_documented_one_is_there() -> None:
    documented = set(re.findall(r"`(facestream_fleet_\w+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert {family.name for family in fleet_families(FleetSeen(fleet=fleet(), node="box-1"))} == documented


def test_metrics_are_few_where_nothing_was_ever_seen() -> None:
    assert metrics(FleetSeen(problem="the database is away")).splitlines()[-1] == "facestream_fleet_up 0.0"
