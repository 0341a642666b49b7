"""A renewed certificate is shown to whoever connects from then on: many last some weeks, and the service runs for longer."""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import suppress
from pathlib import Path

from engine.contracts.http import HttpSettings, tls_context
from engine.errors import ConfigError
from engine.private_file import version_of, warning_of
from engine.web.report import Report

_LOOK_SECONDS = 5.0


async def follow_certificate(tls: ssl.SSLContext, settings: HttpSettings, report: Report) -> None:
    """Look for ever whether certificate and key are other files by now; what cannot be used is told, and the old ones stay.

    Args:
        tls: what is served with, made of ``settings``.
        settings: name the files; that of the authority of clients stays as it was.
        report: is told.
    """
    used = _state(settings)
    _warn_of_key(settings, report)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        if (found := _state(settings)) == used:
            continue
        try:
            tls_context(settings)  # first apart: a key that has not followed yet would spoil the one in use
            tls.load_cert_chain(settings.tls_certificate, settings.tls_key)
        except (ConfigError, OSError, ssl.SSLError) as error:
            report.say("certificate", f"the certificate has changed and cannot be used, the old one stays: {error}")
        else:
            used = found
            report.tell(f"the certificate {settings.tls_certificate} has changed, and is used from now on")
            _warn_of_key(settings, report)


def _warn_of_key(settings: HttpSettings, report: Report) -> None:
    path = Path(settings.tls_key)
    with suppress(OSError):
        if warning := warning_of(path, path.stat(), "the key of TLS (serve.http_tls_key)"):
            report.tell(warning)


def _state(settings: HttpSettings) -> list[tuple[int, int, int]]:
    states = []
    for path in (settings.tls_certificate, settings.tls_key):
        with suppress(OSError):  # where one is missing the other one is not used
            states.append(version_of(os.stat(path)))
    return states
