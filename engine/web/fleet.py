"""The fleet that this service is a node of, as the database of the fleet knows it: every node can show all of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from engine.errors import FacestreamError
from engine.fleet.view import FleetView, fleet_view
from engine.postgres.connection import connect

if TYPE_CHECKING:
    from psycopg import Connection

_MAX_AGE_SECONDS = 1.0
_PAUSE_SECONDS = 5.0
"""Between attempts at a database that does not answer."""
_ANSWER_SECONDS = 3.0


class FleetSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the fleet, and since when."""

    fleet: FleetView | None = None
    """None: it was never seen."""
    age_seconds: float = 0.0
    """Of what ``fleet`` says."""
    problem: str = ""
    """Why nothing newer is known; empty: all is well."""
    node: str = ""
    """Which of the nodes this is."""


class FleetCache:
    """Asks the database when somebody wants to know, not more often than once a second, and keeps what it said last.

    Args:
        database: ``postgresql://…``.
        node: the name of this one.
        look: how the database is asked, for tests.
        clock: seconds; monotonic.
    """

    def __init__(
        self,
        database: str,
        node: str,
        look: Callable[[Connection[Any]], FleetView] = fleet_view,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._node, self._look, self._clock = database, node, look, clock
        self._connection: Connection[Any] | None = None
        self._lock = asyncio.Lock()
        self._seen: FleetView | None = None
        self._seen_at = self._due = float("-inf")
        self._problem = ""

    async def get(self) -> FleetSeen:
        """Return what is known, not older than a second where the database answers; waits for it a few seconds at most."""
        async with self._lock:
            if self._clock() >= self._due:
                await asyncio.to_thread(self._ask)
            age = self._clock() - self._seen_at if self._seen else 0.0
            return FleetSeen(fleet=self._seen, age_seconds=round(age, 1), problem=self._problem, node=self._node)

    async def close(self) -> None:
        """Let the connection go."""
        async with self._lock:
            self._drop()

    def _ask(self) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._database, application="console", answer_seconds=_ANSWER_SECONDS)
            self._seen = self._look(self._connection)
        except FacestreamError as error:
            self._problem, self._due = str(error), self._clock() + _PAUSE_SECONDS
            self._drop()
        except msgspec.ValidationError as error:  # as a later release has written it
            what = f"the database {self._database} holds what this version cannot read: {error}"
            self._problem, self._due = what, self._clock() + _PAUSE_SECONDS
            self._drop()
        else:
            self._problem, self._seen_at = "", self._clock()
            self._due = self._seen_at + _MAX_AGE_SECONDS

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
