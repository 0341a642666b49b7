"""What the web process is given, and where it may listen."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import msgspec

from engine.contracts.address import is_loopback
from engine.contracts.tap import Tap
from engine.errors import ConfigError

DEFAULT_ADDRESS = "127.0.0.1:8765"


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it listens."""

    address: str = DEFAULT_ADDRESS
    """Host and port, as ``127.0.0.1:8765`` or ``[::1]:8765``; port 0: any that is free."""
    hosts: tuple[str, ...] = ()
    """Names under which browsers may ask, besides ``localhost`` and addresses, as ``cameras.example.org``."""
    tls_certificate: str = ""
    """A PEM file; with it HTTP is spoken over TLS alone."""
    tls_key: str = ""
    """The certificate's key, as PEM."""
    tls_client_ca: str = ""
    """A PEM file of authorities: who has no certificate of theirs gets no connection."""
    upload_bytes: int = 16 << 20
    """Of one request with pictures."""
    insecure: bool = False
    """Speak HTTP in the clear to whoever comes, beyond this machine too."""


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


def split_address(address: str) -> tuple[str, int]:
    """Return host, without brackets, and port.

    Raises:
        ConfigError: it is not HOST:PORT.
    """
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not colon or not bare or (":" in bare) != bracketed or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"serve.http is {address!r}: use HOST:PORT, as {DEFAULT_ADDRESS} or [::1]:8765")
    return bare, int(port)


def stays_here(settings: HttpSettings) -> bool:
    """Return whether only this machine can reach the address.

    Raises:
        ConfigError: it is not HOST:PORT.
    """
    split_address(settings.address)
    return is_loopback(f"tcp://{settings.address}")


def check_exposure(settings: HttpSettings) -> None:
    """Refuse what would send tokens and pictures over a network in the clear.

    Raises:
        ConfigError: the address may be reached from elsewhere, and there is neither TLS nor ``insecure``; the files of TLS
            are not all given; or a name in ``hosts`` is none.
    """
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ConfigError("TLS needs both serve.http_tls_certificate and serve.http_tls_key: one of them is not given")
    if settings.tls_client_ca and not settings.tls_certificate:
        raise ConfigError("serve.http_tls_client_ca needs serve.http_tls_certificate and serve.http_tls_key")
    for name in settings.hosts:
        if not name or not set(name.lower()) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_"):
            raise ConfigError(f"{name!r} in serve.http_hosts is not the name of a host: use one as cameras.example.org")
    if not stays_here(settings) and not settings.tls_certificate and not settings.insecure:
        raise ConfigError(
            f"serve.http is {settings.address}, which others may reach, and everything would be sent in the clear: give "
            f"serve.http_tls_certificate and serve.http_tls_key, use {DEFAULT_ADDRESS}, or say --insecure"
        )


def is_address(host: str) -> bool:
    """Return whether a host, in brackets or not, is an address and no name: no name server can turn it into another one."""
    try:
        ipaddress.ip_address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    except ValueError:
        return False
    return True
