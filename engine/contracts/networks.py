"""Networks in which something may be, and the addresses that lead into them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from engine.errors import ConfigError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_KINDS: dict[str, tuple[str, ...]] = {
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "loopback": ("127.0.0.0/8", "::1/128"),
}
_PUBLIC = "public"
_NAT64, _COMPATIBLE = ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96")


class Networks:
    """Some networks.

    Args:
        allowed: ``public``, ``private``, ``loopback``, or networks as ``192.168.7.0/24``.

    Raises:
        ConfigError: one is none of these.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        kinds = tuple(allowed)
        self._is_public = _PUBLIC in kinds
        self._networks = [network for kind in kinds if kind != _PUBLIC for network in _networks(kind)]

    def allows(self, text: str) -> bool:
        """Whether an address is in one of them, wherever it leads."""
        address = reached(ipaddress.ip_address(text))
        if any(address.version == network.version and address in network for network in self._networks):
            return True
        return self._is_public and is_public(address)


def reached(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.sixtofour is not None:
            return address.sixtofour
    return address


def is_public(address: Address) -> bool:
    """Whether an address is one of the Internet: of nobody's own network, of no single link, and for one receiver alone."""
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:  # which Python counts as global
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _networks(kind: str) -> list[Network]:
    try:
        return [ipaddress.ip_network(one) for one in _KINDS.get(kind, (kind,))]
    except ValueError as error:
        raise ConfigError(f"{kind!r} is not a network: use public, private, loopback, or as 192.168.7.0/24") from error
