"""The epoch of a gallery in a database, which changes when it is restored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

_LIFE = (
    "SELECT concat_ws(' ', (SELECT epoch FROM gallery.state), (SELECT system_identifier FROM pg_control_system()),"
    " (SELECT timeline_id FROM pg_control_checkpoint()), 'gallery.state'::regclass::oid)"
)


def epoch_of(connection: Connection[Any]) -> str:
    """Return the epoch, 16 hexadecimal digits. It differs after the tables were restored from a backup or a dump, or another
    server replaced the first, which may lack its last changes. So within one epoch a revision identifies one state of the
    gallery.

    Raises:
        psycopg.Error: there is no answer.
    """
    found = connection.execute(_LIFE).fetchone()
    assert found is not None
    return hashlib.sha256(str(found[0]).encode()).hexdigest()[:16]
