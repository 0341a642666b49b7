"""In which networks cameras may be that are added while the service runs: it must not ask for others what they cannot reach."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence

from engine.contracts.networks import Networks
from engine.errors import ConfigError
from engine.service.refusal import Refusal

NO_ADDRESS = "has no address"
"""Says a refusal of a name that nobody knows, or not at the moment."""


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
        try:
            self._networks = Networks(self.allowed)
        except ConfigError as error:
            raise ConfigError(f"serve.cameras_in: {error}") from error

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

    def _check_address(self, host: str, text: str, field: str) -> None:
        if self._networks.allows(text):
            return
        what = host if text == host.strip("[]") else f"{host}, which is {text},"
        raise Refusal(
            "refused",
            f"{what} is in no network in which cameras may be added while the service runs: allow its network in "
            f"serve.cameras_in, or name the camera in the configuration file, and start the service with that file "
            f"(`facestream check --example serve` prints one)",
            field,
        )
