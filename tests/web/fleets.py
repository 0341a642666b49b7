"""A fleet as its database would tell of it."""

from __future__ import annotations

from typing import Any

from engine.fleet.view import About, CameraView, FleetView, Load, NodeView, Standing

_SINCE = "2026-11-29T08:00:00+00:00"


def node(name: str, standing: Standing = "up", cameras: int = 2, **facts: Any) -> NodeView:
    """Return a node with so many cameras."""
    about = {"labels": {"site": "north"}, "capacity": 40.0, "console": f"https://{name}.example.org:8765", "version": "0.1.0"}
    load = {"running": True, "streams": cameras, "cores": 32, "cpu_share": 0.4, "p99_ms": 340.0, "ready": True}
    age = {"up": 0.4, "late": 4.0, "missing": 754.0}[standing]
    return NodeView(
        name=name, standing=standing, since=_SINCE, renewed_seconds=age, drained=facts.pop("drained", False), cameras=cameras,
        about=About(**about | facts.pop("about", {})), load=Load(**load | facts.pop("load", {})), holds=cameras,
    )  # fmt: skip


def camera(name: str, node: str = "", holder: str | None = None, reason: str = "") -> CameraView:
    """Return a camera that its node reads, or as said."""
    held = node if holder is None else holder
    wanted = not node or held != node or "is away" in reason
    return CameraView(
        name=name, uri=f"rtsp://{name}.example.org/1", node=node, holder=held, since=_SINCE, generation=1, reason=reason,
        wanted=wanted,
    )  # fmt: skip


def fleet(**changed: Any) -> FleetView:
    """Return a fleet in which something is wrong."""
    nodes = (
        node("box-1", cameras=12),
        node("box-2", cameras=3, drained=True),
        node("box-10", "late", cameras=1, load={"overload_level": 1}),
        node("box-3", "missing", cameras=1),
    )
    cameras = (
        *(camera(f"gate-{number}", "box-1") for number in range(12)),
        *(camera(f"hall-{number}", "box-2") for number in range(3)),
        camera("yard", "box-10"),
        camera("roof", "box-3", reason="its node box-3 is away"),
        camera("dock", reason="no node has the labels gpu=1"),
    )
    return FleetView(**{"nodes": nodes, "cameras": cameras, "quorum": True, "lease_seconds": 6.0} | changed)
