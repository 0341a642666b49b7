"""Whose page asks: a browser sends what any page tells it to, also to this machine."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request

from engine.web.problems import Refusal
from engine.web.settings import is_address

_DEFAULT_PORTS = {"http": 80, "https": 443}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def check_host(request: Request, names: Collection[str]) -> None:
    """Refuse a name that is not ours: another site may have turned its own name into this address (DNS rebinding).

    An address is never refused: no name server stands between it and us.

    Args:
        request: with its ``Host``.
        names: under which browsers may ask, in small letters.

    Raises:
        Refusal: there is not exactly one ``Host``, or it is another name.
    """
    given = request.headers.getlist("host")
    host = _split(given[0])[0] if len(given) == 1 else ""
    if not host or not (host == "localhost" or host.endswith(".localhost") or is_address(host) or host in names):
        raise Refusal(
            "forbidden",
            "this service does not answer under that name: use its address, or add the name to serve.http_hosts",
            "Host",
            status=421,
        )


def check_origin(request: Request) -> None:
    """Refuse what another site's page asks.

    Raises:
        Refusal: the browser says that the page is not ours.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    foreign = origin is not None and _split_origin(origin) != _own(request)
    if foreign or site not in (None, "same-origin", "none"):
        raise Refusal("forbidden", "pages of other sites may not send requests here", "Origin")


def _own(request: Request) -> tuple[str, int]:
    host, port = _split(request.headers.get("host", ""))
    return host, port or _DEFAULT_PORTS[request.url.scheme]


def _split(host: str) -> tuple[str, int]:
    """Return host, in small letters, and port, 0 where there is none; an empty host where it cannot be read."""
    try:
        parts = urlsplit(f"//{host}")
        if parts.path or parts.query or parts.fragment or parts.username is not None or parts.hostname is None:
            return "", 0
        return parts.hostname.rstrip("."), parts.port or 0
    except ValueError:
        return "", 0


def _split_origin(origin: str) -> tuple[str, int]:
    scheme, separator, host = origin.partition("://")
    name, port = _split(host) if separator else ("", 0)
    return name, port or _DEFAULT_PORTS.get(scheme, 0)
