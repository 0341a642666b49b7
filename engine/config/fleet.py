"""The section of the configuration that makes a service a node of a fleet."""

from __future__ import annotations

from engine.config.section import Positive, Section


class FleetConfig(Section, frozen=True):
    """`facestream serve` as one of the nodes to which `facestream fleet` gives cameras, beside those of its own."""

    database: str = ""
    """Where all nodes meet, as ``postgresql://facestream@db.example.org/facestream``; its password belongs into ``~/.pgpass``
    or PGPASSWORD, and is refused here. Empty: this service is not a node."""
    node: str = ""
    """Its name, which no other node has; empty: that of the machine."""
    labels: dict[str, str] = {}
    """What cameras may need of it, as ``{site: north, gpu: "1"}``."""
    capacity: Positive | None = None
    """Cameras (the sum of their weights) that it may be given; None: no limit, but those with room by their load go first."""
    listen: str = "tcp://0.0.0.0:*"
    """Where other nodes ask whether it has the database; ``*``: any free port."""
    address: str = ""
    """Its host name or address for other nodes, in which ``{node}`` stands for its own name; empty: as the database sees it,
    which is wrong behind an address translation."""
    console: str = ""
    """Where people open its console, as ``https://box-1.example.org:8765``; shown by `facestream fleet status`."""
