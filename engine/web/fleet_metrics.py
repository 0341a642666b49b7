"""For Prometheus: the fleet as its database knows it. Each node says the same of all; a label tells of whom."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from engine.fleet.room import estimate_of
from engine.fleet.view import NodeView
from engine.web.fleet import FleetSeen

MOST_NODES = 200
_LABEL = "fleet_node"
"""``node`` is what a configuration of Prometheus would call its targets."""


def fleet_families(seen: FleetSeen) -> Iterator[Metric]:
    """Yield what is known of the fleet; what the database said last, where it is away."""
    yield GaugeMetricFamily("facestream_fleet_up", "Whether the database of the fleet answers.", value=not seen.problem)
    if (fleet := seen.fleet) is None:
        return
    yield GaugeMetricFamily(
        "facestream_fleet_age_seconds", "Age of what these metrics say of the fleet.", value=seen.age_seconds
    )
    yield GaugeMetricFamily("facestream_fleet_quorum", "Whether at least half of the nodes are up.", value=fleet.quorum)
    yield GaugeMetricFamily("facestream_fleet_cameras", "Cameras that the fleet should read.", value=len(fleet.cameras))
    unread = sum(camera.wanted for camera in fleet.cameras)
    yield GaugeMetricFamily("facestream_fleet_cameras_without_node", "Cameras that no node reads.", value=unread)
    nodes = fleet.nodes[:MOST_NODES]
    yield _of_nodes("up", "Whether it holds its lease.", ((one, one.alive) for one in nodes))
    yield _of_nodes("drained", "Whether it was drained: its cameras are moved away.", ((one, one.drained) for one in nodes))
    yield _of_nodes("lease_age_seconds", "Time since it renewed its lease.", ((one, one.renewed_seconds) for one in nodes))
    yield _of_nodes("cameras", "Cameras placed on it.", ((one, one.cameras) for one in nodes))
    capacities = ((one, one.about.capacity or estimate_of(one.load, one.cameras)) for one in nodes)
    known = ((one, capacity) for one, capacity in capacities if capacity)
    yield _of_nodes("capacity", "Cameras that it can read, as configured or estimated from its load.", known)
    yield _of_nodes(
        "cpu_share", "Share of its machine's processors in use, 0 to 1.", ((one, one.load.cpu_share) for one in nodes)
    )


def _of_nodes(name: str, what: str, values: Iterator[tuple[NodeView, float]]) -> Metric:
    family = GaugeMetricFamily(f"facestream_fleet_node_{name}", what, labels=[_LABEL])
    for node, value in values:
        family.add_metric([node.name], float(value))
    return family
