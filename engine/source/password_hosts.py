"""To which hosts the user and password of a file may be sent: those in ``NAME.hosts`` beside it.

A line each, as ``192.0.2.10``, ``2001:db8::1`` or, of one port alone, ``192.0.2.10:554``,
``[2001:db8::1]:554``. No such file: to none.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from engine.source.camera_url import CameraUrl


def hosts_file_of(credentials: Path) -> Path:
    """Return the file that lists the hosts of a file with user and password."""
    return credentials.with_name(f"{credentials.name}.hosts")


def hosts_in(file: Path) -> set[str]:
    """Return the hosts of such a list, in small letters; none where it cannot be read."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, ValueError):
        return set()
    return {line.strip().lower() for line in text.splitlines()} - {""}


def place_of(url: CameraUrl) -> str:
    """Return host and port of an address."""
    return f"{url.host.lower()}:{url.port or url.scheme.default_port}"


def is_given_for(url: CameraUrl, hosts: Collection[str]) -> bool:
    """Whether what may be sent to these hosts may be sent to the host and port of an address."""
    host = url.host.lower()
    return not {place_of(url), host, host.strip("[]")}.isdisjoint(hosts)
