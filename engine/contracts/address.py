"""What a ZeroMQ endpoint looks like, and whom it can be reached by."""

from __future__ import annotations

import ipaddress
import re

from engine.errors import ConfigError

_TCP = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:.%]+\]|[^\s/:]+):(?P<port>\*|\d{1,5})")
ENDPOINT_FORMS = "use tcp://ADDRESS:PORT, as tcp://127.0.0.1:5556, or ipc:///PATH"


def check_form(endpoint: str, key: str) -> None:
    """Check that a text is an endpoint, without binding it.

    Raises:
        ConfigError: it is none; ``key`` stands for where it was given.
    """
    wrong = ConfigError(f"{key}: {endpoint!r} is not a ZeroMQ endpoint: {ENDPOINT_FORMS}")
    if endpoint.startswith("tcp://"):
        found = _TCP.fullmatch(endpoint)
        if found is None or (found["port"] != "*" and int(found["port"]) > 65535):
            raise wrong
    elif not re.match(r"(ipc|inproc)://.", endpoint) or "\0" in endpoint:
        raise wrong


def is_ipv6(endpoint: str) -> bool:
    """Return whether a ZeroMQ endpoint is an address of IPv6: before a socket binds or connects to it, it needs ``zmq.IPV6``.

    With that option a host's name is looked up for IPv6 first, and nothing else is tried: so for no other endpoint.
    """
    return endpoint.startswith("tcp://[")


def is_loopback(endpoint: str) -> bool:
    """Return whether a ZeroMQ endpoint certainly stays on this machine.

    Args:
        endpoint: of ``ipc`` and ``inproc`` that is always so; of ``tcp`` for an address in 127.0.0.0/8, ``[::1]`` and
            ``localhost``. Whatever else stands there (``*``, ``0.0.0.0``, ``[::]``, the name of a host or of a network
            interface, a form that is not understood) may be reached from elsewhere.
    """
    scheme, separator, rest = endpoint.partition("://")
    if not separator or scheme not in ("tcp", "ipc", "inproc"):
        return False
    if scheme != "tcp":
        return True
    host, colon, _ = rest.rpartition(":")
    return bool(colon) and _is_loopback_host(host)


def _is_loopback_host(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        if not bracketed:
            return ipaddress.IPv4Address(host).is_loopback
        address = ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        return False
    return (address.ipv4_mapped or address).is_loopback
