"""Ports for servers that are told theirs, and come back to it after a kill."""

from __future__ import annotations

import socket
from pathlib import Path

_FIRST = 10_000
_GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")
_taken: list[socket.socket] = []


def free_port(host: str) -> int:
    """Return a port of this process alone, until it ends: other tests get other ones, and the system gives it to nobody.

    A port that was asked for as any free one, and let go, is given to the next connection or server, of any process; and who
    waits for a server there can be connected to itself.
    """
    for port in range(_FIRST, int(_GIVEN_AWAY.read_text(encoding="ascii").split()[0])):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0facestream-port-{port}")  # the system takes it back with the process
            with socket.socket() as one:
                one.bind((host, port))
        except OSError:
            name.close()
            continue
        _taken.append(name)
        return port
    raise RuntimeError(f"no port of {host} is free")
