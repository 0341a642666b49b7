"""In which networks cameras may be that are added while the service runs: it must not ask for others what they cannot reach."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence

from engine.errors import ConfigError
from engine.service.refusal import Refusal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_KINDS: dict[str, tuple[str, ...]] = {
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
    "loopback": ("127.0.0.0/8", "::1/128"),
}
_PUBLIC = "public"
NO_ADDRESS = "has no address"
"""Says a refusal of a name that nobody knows, or not at the moment."""
_SIX_TO_FOUR, _NAT64 = ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def look_up(host: str) -> list[str]:
    """Return the addresses of a host as the system, and so FFmpeg, finds them.

    Raises:
        OSError: it has none.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return sorted({str(one[4][0]).partition("%")[0] for one in found})


class AllowedNetworks:
    """What ``serve.cameras_in`` allows.

    Args:
        allowed: ``public``, ``private``, ``loopback``, or networks as ``192.168.7.0/24``.
        addresses_of: finds the addresses of a host.

    Raises:
        ConfigError: one is none of these.
    """

    def __init__(self, allowed: Iterable[str], addresses_of: Callable[[str], Sequence[str]] = look_up) -> None:
        self.allowed = tuple(allowed)
        self._addresses_of = addresses_of
        self._networks = [network for kind in self.allowed if kind != _PUBLIC for network in _networks(kind)]

    def check(self, host: str, field: str) -> None:
        """Check every address that a host has now.

        Args:
            host: a name or an address, an IPv6 one with or without brackets.
            field: of the request, for the answer.

        Raises:
            Refusal: one is not allowed, or it has none.
        """
        try:
            addresses = self._addresses_of(host.strip("[]"))
        except (OSError, UnicodeError) as error:
            raise Refusal("refused", f"the host {host} {NO_ADDRESS}: check its spelling, or give its address", field) from error
        for text in addresses:
            self._check_address(host, text, field)

    def allows(self, text: str) -> bool:
        """Whether a camera may have this address."""
        address = reached(ipaddress.ip_address(text))
        if any(address.version == network.version and address in network for network in self._networks):
            return True
        return _PUBLIC in self.allowed and is_public(address)

    def _check_address(self, host: str, text: str, field: str) -> None:
        if self.allows(text):
            return
        what = host if text == host.strip("[]") else f"{host}, which is {text},"
        raise Refusal(
            "refused",
            f"{what} is in no network in which cameras may be added while the service runs: allow its network in "
            f"serve.cameras_in, or name the camera in the configuration file",
            field,
        )


def reached(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one leads to, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address in _SIX_TO_FOUR and address.sixtofour is not None:
            return address.sixtofour
    return address


def is_public(address: Address) -> bool:
    """Whether an address is one of the Internet: of nobody's own network, of no single link, and for one receiver alone."""
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _networks(kind: str) -> list[Network]:
    try:
        return [ipaddress.ip_network(one) for one in _KINDS.get(kind, (kind,))]
    except ValueError as error:
        raise ConfigError(
            f"serve.cameras_in: {kind!r} is no network: use public, private, loopback, or as 192.168.7.0/24"
        ) from error
