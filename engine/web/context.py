"""What the handlers of requests share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from engine.web.auth import Auth
from engine.web.connections import Bounds
from engine.web.fan import Fan
from engine.web.fleet import FleetCache
from engine.web.link import ServiceLink, StatusCache
from engine.web.report import Report
from engine.web.settings import WebSettings
from engine.web.tap import Tap
from engine.web.timeline import Timeline

_MOST_UPLOADS = 4


@dataclass
class Web:
    """One web process."""

    settings: WebSettings
    report: Report
    auth: Auth
    link: ServiceLink
    status: StatusCache
    fan: Fan
    tap: Tap
    timeline: Timeline
    bounds: Bounds
    fleet: FleetCache | None = None
    """None: this service is not a node of a fleet."""
    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_UPLOADS))
    """Bodies with pictures that are held at the same time."""
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while files of runs are read."""
    ended: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done once a part that should never end has: which one, and why."""
