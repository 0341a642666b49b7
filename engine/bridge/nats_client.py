"""A NATS client that sends nothing before the connection is encrypted, where encryption is asked for.

nats-py falls back to plain text if a server offers no TLS, even with ``tls://``: a man in the middle could get the password.
"""

from __future__ import annotations

from nats.aio.client import Client
from nats.errors import Error


class TlsClient(Client):
    """``is_checked`` after ``connect``: the first word was said over TLS."""

    is_checked = False

    def _connect_command(self) -> bytes:
        if not self._server_info.get("tls_required"):
            raise Error("it does not ask for TLS, and nothing is sent without it: use nats://, or set TLS up there")
        self.is_checked = True
        return super()._connect_command()
