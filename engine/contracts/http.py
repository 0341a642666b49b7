"""Where HTTP may be spoken, and how: what is wrong with it is known before anything listens."""

from __future__ import annotations

import ssl

import msgspec

from engine.contracts.address import is_loopback
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


def split_address(address: str, setting: str = "serve.http") -> tuple[str, int]:
    """Return host, without brackets, and port of what ``setting`` gives.

    Raises:
        ConfigError: it is not HOST:PORT.
    """
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if bracketed else host
    if not colon or not bare or (":" in bare) != bracketed or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{setting} is {address!r}: use HOST:PORT, as {DEFAULT_ADDRESS} or [::1]:8765")
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
        raise ConfigError("TLS needs both serve.http_tls_certificate and serve.http_tls_key: one of them is missing")
    if settings.tls_client_ca and not settings.tls_certificate:
        raise ConfigError("serve.http_tls_client_ca needs serve.http_tls_certificate and serve.http_tls_key")
    for name in settings.hosts:
        if not name or not set(name.lower()) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-_"):
            raise ConfigError(f"{name!r} in serve.http_hosts is not the name of a host: use one such as cameras.example.org")
    if not stays_here(settings) and not settings.tls_certificate and not settings.insecure:
        raise ConfigError(
            f"serve.http is {settings.address}, which others may reach, and everything would be sent in the clear: give "
            f"serve.http_tls_certificate and serve.http_tls_key, use {DEFAULT_ADDRESS}, or accept it with "
            "serve.http_insecure: true"
        )


def tls_context(settings: HttpSettings) -> ssl.SSLContext | None:
    """Return what TLS is spoken with; None: it is not.

    Raises:
        ConfigError: one of the files cannot be used.
    """
    if not settings.tls_certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=_no_password)
        if settings.tls_client_ca:
            context.load_verify_locations(settings.tls_client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        files = (settings.tls_certificate, settings.tls_key, settings.tls_client_ca)
        raise ConfigError(
            f"the files of serve.http_tls_* ({', '.join(filter(None, files))}) cannot be used: {error.strerror or error}: give "
            "PEM files that this user may read, the key without a password"
        ) from error
    return context


def _no_password() -> str:
    """Asked for by an encrypted key: a service has nobody to ask."""
    return ""
