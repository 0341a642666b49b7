"""Which certificates to trust over TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

from engine.errors import ConfigError


def tls_with(authority: Path | None) -> ssl.SSLContext:
    """Return what checks the other side's certificate.

    Args:
        authority: file of certificates; None: those of this machine.

    Raises:
        ConfigError: the file cannot be read, or holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"the certificates in {authority} cannot be read: {error.strerror or error}") from error
