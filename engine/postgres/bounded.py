"""A connection that waits for an answer only so long: what the server bounds, a server that hangs does not."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus


class BoundedConnection(psycopg.Connection[Any]):
    """Closes itself, with ``psycopg.OperationalError``, when the server has something to answer and is silent for too long.

    A server that is stopped, or whose disk hangs, is still acknowledged for by its kernel: neither ``tcp_user_timeout`` nor
    keepalives end that. Everything that psycopg waits for goes through ``wait``, which looks ten times a second.
    """

    silent_seconds = 5.0
    """The longest silence; whoever waits for notifications has asked nothing, and may wait longer."""

    def wait(self, gen: Generator[Any, Any, Any], *given: Any, **more: Any) -> Any:
        """See ``psycopg.Connection.wait``."""
        return super().wait(self._bounded(gen), *given, **more)

    def _bounded(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                now = time.monotonic()
                if ready or self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                    heard = now
                elif now - heard > self.silent_seconds:
                    self.close()
                    raise psycopg.OperationalError(f"it has not answered for {self.silent_seconds:.0f} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value
