"""Brings a machine's cache up to date with the database: by the changes, or completely if they are no longer known."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.errors import GalleryError
from engine.verify.gallery.postgres.cache import COLUMNS, CacheFile, Origin
from engine.verify.gallery.sqlite.log import forget_log, make_log

if TYPE_CHECKING:
    from engine.verify.gallery.postgres.tables import PostgresTables
    from engine.verify.gallery.tables import Table

_TABLES: tuple[Table, ...] = ("pictures", "negatives")
_SEEN_AGAIN_NS = 5_000_000_000
"""How often it is recorded that a cache is still current."""


def bring_up_to_date(tables: PostgresTables, cache: CacheFile) -> None:
    """Bring a cache to the state of the database at one moment, completely or not at all.

    The result is verified: the exclusive or of its rows' words, updated with each change, must equal the database's.

    Raises:
        GalleryError: there is no answer, or the cache cannot be written.
    """
    now = _origin(tables)
    if cache.origin == now:
        if time.time_ns() - cache.seen_ns > _SEEN_AGAIN_NS:
            with cache.writing():
                if cache.origin == now:
                    cache.settle(now, time.time_ns())
        return
    with cache.writing(), tables.reading():  # other processes of this machine wait, and find it done
        now = _origin(tables)
        if cache.origin != now and not (_may_go_on(tables, cache.origin, now) and _changes(tables, cache, now)):
            _everything(tables, cache, now)
        cache.settle(now, time.time_ns())
    if cache.forgot:
        cache.wipe()


def _origin(tables: PostgresTables) -> Origin:
    epoch, revision = tables.state()
    return Origin(epoch, revision, int(tables.rows("SELECT content::text FROM state")[0][0], 2))


def _may_go_on(tables: PostgresTables, before: Origin | None, now: Origin) -> bool:
    """Whether the database still knows all changes since then."""
    ((forgotten,),) = tables.rows("SELECT forgotten FROM state")
    return before is not None and before.epoch == now.epoch and forgotten <= before.revision <= now.revision


def _changes(tables: PostgresTables, cache: CacheFile, now: Origin) -> bool:
    """Apply the changes; return whether the cache then equals the database."""
    before = cache.origin
    if before is None:
        return False
    content, fresh = before.content, {}
    for table in _TABLES:
        cache.make(table)
        since = (before.revision,)
        fresh[table] = tables.rows(f"SELECT {', '.join(COLUMNS[table])} FROM {table} WHERE revision > ?", since)
        gone = tables.rows("SELECT id FROM gone WHERE revision > ? AND kind = ?", (before.revision, table))
        content ^= cache.forget(table, [int(number) for (number, *_) in (*gone, *fresh[table])])
    for table in _TABLES:
        content ^= cache.keep(table, fresh[table])
    return content == now.content


def _everything(tables: PostgresTables, cache: CacheFile, now: Origin) -> None:
    forget_log(cache)
    cache.clear()
    content = 0
    for table in _TABLES:
        cache.make(table)
        content ^= cache.keep(table, tables.each(f"SELECT {', '.join(COLUMNS[table])} FROM {table}"))
    make_log(cache)
    if content != now.content:
        raise GalleryError(
            f"the gallery {tables.where} is damaged: its rows are not those that its triggers have noted, restore it from a "
            "backup, or copy what it holds to a new one with `facestream gallery copy`"
        )
