"""Addresses of galleries in databases: ``postgresql://USER@HOST/NAME?tenant=NORTH``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from engine.errors import ConfigError
from engine.postgres.address import refuse_password

TENANT = "main"
"""Tenant of an address that names none."""


@dataclass(frozen=True)
class Address:
    """Database and tenant of a gallery."""

    database: str
    """URL for libpq, without a password."""
    tenant: str

    @property
    def where(self) -> str:
        """The whole address, for messages."""
        if self.tenant == TENANT:
            return self.database
        return f"{self.database}{'&' if '?' in self.database else '?'}tenant={quote(self.tenant, safe='')}"

    @property
    def channel(self) -> str:
        """Channel on which the database announces changes, as made by ``gallery.channel``."""
        return f"gallery_{hashlib.sha256(self.tenant.encode()).hexdigest()[:32]}"

    def cache(self, folder: Path) -> Path:
        """Return the file in ``folder`` that holds this machine's copy."""
        return folder / f"gallery-{hashlib.sha256(self.where.encode()).hexdigest()[:16]}.sqlite"


def address_of(where: str) -> Address:
    """Return the address that a URL names.

    Raises:
        ConfigError: it is not a URL, contains a password, or its tenant is not a short word.
    """
    refuse_password(where, "the address of the gallery")
    parts = urlsplit(where)
    try:
        _ = parts.port
    except ValueError as error:
        raise ConfigError(f"the address of the gallery cannot be read ({error}): write postgresql://USER@HOST/NAME") from error
    options = parse_qsl(parts.query, keep_blank_values=True)
    tenants = [value for name, value in options if name == "tenant"]
    query = urlencode([option for option in options if option[0] != "tenant"], quote_via=quote)
    address = Address(urlunsplit(parts._replace(query=query)), tenants[-1] if tenants else TENANT)
    is_readable = address.tenant.isprintable() and not any(character in address.tenant for character in "'\\ ")
    if not 1 <= len(address.tenant.encode(errors="surrogateescape")) <= 63 or not is_readable or address.tenant == "*":
        raise ConfigError(f"{address.tenant!r} cannot be the tenant of a gallery: give a short word, such as ?tenant=north")
    return address
