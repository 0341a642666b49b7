"""Which life of the gallery a database is in."""

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
    """Return 16 hexadecimal digits: another word where the tables were restored from a backup or a dump, or where another
    server took the place of the first, which may lack its last changes. So within one epoch no revision is two galleries.

    Raises:
        psycopg.Error: there is no answer.
    """
    found = connection.execute(_LIFE).fetchone()
    assert found is not None
    return hashlib.sha256(str(found[0]).encode()).hexdigest()[:16]
