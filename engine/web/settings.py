"""The settings that the web process is given."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import msgspec

from engine.contracts.http import HttpSettings
from engine.contracts.tap import Tap


class WebSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the web process knows; there is no secret in it."""

    control: str
    """ZeroMQ endpoint of the service's ROUTER."""
    tap: str = ""
    """ZeroMQ endpoint of what the publisher sends; empty: there are no live events."""
    previews: str = ""
    """ZeroMQ endpoint of small pictures of the cameras; empty: beside the tap."""
    directory: str
    """Of the service: it holds ``tokens/`` and ``runs/``."""
    http: HttpSettings = HttpSettings()
    fleet_database: str = ""
    """``postgresql://…`` without a password; empty: this service is not a node of a fleet."""
    fleet_node: str = ""
    """Its name there."""

    @property
    def previews_endpoint(self) -> str:
        """Where small pictures come from; empty: there are none."""
        if self.previews or not self.tap.startswith("ipc://"):
            return self.previews
        return Tap.in_folder(Path(self.tap.removeprefix("ipc://")).parent).previews

    @property
    def tokens(self) -> Path:
        return Path(self.directory).expanduser() / "tokens"

    @property
    def runs(self) -> Path:
        return Path(self.directory).expanduser() / "runs"


def is_address(host: str) -> bool:
    """Return whether a host, in brackets or not, is an address and no name: no name server can turn it into another one."""
    try:
        ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        return False
    return True
