"""The state of a fleet, by its database: for `facestream fleet status`, the console and the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from engine.fleet.rows import CANNOT_BE_READ, camera_in, told_by_node
from engine.fleet.schema import place_of, require_tables
from engine.postgres.connection import told
from engine.words.redaction import redact_url

if TYPE_CHECKING:
    from psycopg import Connection

Standing = Literal["up", "late", "missing"]
"""``late``: its lease is lost, or about to be, and not over for certain: its cameras stay its own."""


class Load(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a node measures of itself, each second."""

    running: bool = False
    """Whether its run goes on, so that cameras can be read."""
    down_seconds: float = 0.0
    """For how long there has been no run."""
    streams: int = 0
    """Cameras that it reads, also those of its own configuration."""
    cores: int = 0
    cpu_share: float = 0.0
    """Of its machine's processors, 0 to 1, over the last seconds."""
    overload_level: int = 0
    """0 is none."""
    overloaded_seconds: float = 0.0
    """For how long it has been above 0, with the same cameras."""
    p99_ms: float = 0.0
    """From a frame's packet to its message, the slowest stream's 99th percentile."""
    ready: bool = False
    """Whether the service is ready, see docs/service.md."""


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a node says of itself when it comes."""

    labels: dict[str, str] = {}
    capacity: float = 0.0
    """As configured; 0: as measured."""
    endpoint: str = ""
    """Where other nodes ask it."""
    public_key: str = ""
    """Of ``endpoint``, Z85."""
    console: str = ""
    version: str = ""
    """Of facestream."""


class NodeView(msgspec.Struct, frozen=True):
    """One node."""

    name: str
    standing: Standing
    since: str
    """When its present session with the database began, or the last one; ISO 8601."""
    renewed_seconds: float
    """Since its last renewal."""
    drained: bool
    about: About
    load: Load
    """As it said last."""
    cameras: int
    """That are placed on it."""
    holds: int
    """That it has, as far as the database knows."""

    @property
    def alive(self) -> bool:
        """Whether it holds its lease."""
        return self.standing == "up"


class CameraView(msgspec.Struct, frozen=True):
    """One camera of the fleet."""

    name: str
    uri: str
    """Without user and password."""
    node: str
    """Where it is placed; empty: nowhere."""
    holder: str
    """Which node runs it, or did when it was last heard of; empty: none."""
    since: str
    """When it was placed there; ISO 8601."""
    generation: int
    """How often it was placed."""
    reason: str
    """Why it is nowhere, or not where it should be; empty: all is well."""
    wanted: bool
    """Whether no node reads it, as far as the database knows: it is nowhere, on its way, or its node is missing."""


class FleetView(msgspec.Struct, frozen=True):
    """The whole fleet."""

    nodes: tuple[NodeView, ...]
    cameras: tuple[CameraView, ...]
    quorum: bool
    """Whether half of the nodes are there: without them nothing is placed."""
    lease_seconds: float

    @property
    def summary(self) -> str:
        """One line for a person."""
        up, read = sum(node.alive for node in self.nodes), sum(not one.wanted for one in self.cameras)
        words = f"{up} of {len(self.nodes)} nodes are up, {read} of {len(self.cameras)} cameras have a node"
        placed_when = f"half of the nodes have been there for {self.lease_seconds:g} s"
        return words if self.quorum else f"{words}; nothing is placed until {placed_when}"


_NODES = """
SELECT n.name, p.held, p.missing, n.since, p.age, EXISTS (SELECT FROM fleet.drained WHERE node = n.name), n.about, n.load,
    (SELECT count(*) FROM fleet.placements WHERE node = n.name), (SELECT count(*) FROM fleet.placements WHERE holder = n.name)
FROM fleet.nodes AS n JOIN fleet.presence AS p USING (name) ORDER BY n.name
"""
_CAMERAS = """
SELECT c.name, c.camera, coalesce(p.node, ''), coalesce(p.holder, ''), p.since, coalesce(p.generation, 0),
    coalesce(p.reason, '')
FROM fleet.cameras AS c LEFT JOIN fleet.placements AS p ON p.camera = c.name ORDER BY c.name
"""


def fleet_view(connection: Connection[Any]) -> FleetView:
    """Look at a fleet.

    Raises:
        DatabaseError: the database does not answer, or holds no fleet.
    """
    require_tables(connection)
    with told(place_of(connection)):
        nodes = tuple(_node(row) for row in connection.execute(_NODES).fetchall())
        standing = {node.name: node.standing for node in nodes}
        cameras = tuple(_camera(row, standing) for row in connection.execute(_CAMERAS).fetchall())
        row = connection.execute("SELECT fleet.has_quorum(), lease_seconds FROM fleet.settings").fetchone()
    assert row is not None
    return FleetView(nodes=nodes, cameras=cameras, quorum=row[0], lease_seconds=row[1])


def _node(row: tuple[Any, ...]) -> NodeView:
    name, held, missing, since, age, drained, about, load, cameras, holds = row
    return NodeView(
        name=name,
        standing="up" if held else "missing" if missing else "late",
        since=since.isoformat(timespec="seconds"),
        renewed_seconds=round(age, 1),
        drained=drained,
        about=told_by_node(about, About) or About(),
        load=told_by_node(load, Load) or Load(),
        cameras=cameras,
        holds=holds,
    )


def _camera(row: tuple[Any, ...], standing: Mapping[str, Standing]) -> CameraView:
    name, told_camera, node, holder, since, generation, reason = row
    camera = camera_in(name, told_camera)
    if camera is None:
        reason = CANNOT_BE_READ
    elif not reason and not node:
        reason = "it has not been placed yet"
    elif not reason and standing.get(node) != "up":
        reason = f"its node {node} is away"
    elif not reason and holder != node:
        reason = f"{node} is to take it" + (f" when {holder} has stopped it" if holder else "")
    return CameraView(
        name=name,
        uri="" if camera is None else redact_url(camera.uri) if "://" in camera.uri else camera.uri,
        node=node,
        holder=holder,
        since=since.isoformat(timespec="seconds") if since else "",
        generation=generation,
        reason=reason,
        wanted=not node or holder != node or standing.get(node, "missing") == "missing",
    )
