"""A gallery in a database as a run follows it: pushed by the database, kept on this machine, and never waited for.

A thread of its own listens, brings the cache up to date, and lays the people ready. While the database is away those of the
cache stay in force, also where a run begins; that is said, with the moment that they are of.
"""

from __future__ import annotations

import logging
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import FacestreamError, GalleryError
from engine.verify.gallery.postgres.address import Address
from engine.verify.gallery.postgres.cache import CacheFile, forget_cache
from engine.verify.gallery.postgres.follow import bring_up_to_date
from engine.verify.gallery.reading import GalleryReading
from engine.verify.gallery.snapshot import Snapshot
from engine.words.times import utc_words

if TYPE_CHECKING:
    from engine.verify.gallery.postgres.tables import PostgresTables
    from engine.verify.gallery.tables import GalleryTables

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 10.0
"""A database that says nothing is asked so often: is it there, and was nothing missed?"""
_RETRY_SECONDS = 1.0
_CLOSE_SECONDS = 15.0
_NOBODY = ("", -1)


class PostgresNews:
    """See ``GalleryNews``. It begins with the first call of ``news``.

    Args:
        address: of the gallery.
        cache: the file of this machine.
        embedder_sha256: whose vectors.
        max_age: seconds; while the database is away longer nobody is given a name. 0: however long.
    """

    def __init__(self, address: Address, cache: Path, embedder_sha256: str, max_age: float = 0.0) -> None:
        self._address, self._cache, self._max_age = address, cache, max_age
        self._reading = GalleryReading(embedder_sha256)
        self._lock, self._begun, self._stopped = threading.Lock(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._ready: Snapshot | None = None
        self._fault = ""
        self._laid_out: tuple[str, int] | None = None
        """Of which state of the gallery the people were that were laid ready last."""
        self._cacheless = ""
        """Why there is no cache."""
        self._pushed = False
        self._waker, self._woken = socket.socketpair()

    @property
    def where(self) -> str:
        """The address, without a password."""
        return self._address.where

    def news(self) -> Snapshot | None:
        """See ``GalleryNews``. The first call waits until the gallery was read, or could not be.

        Raises:
            GalleryError: the database is away; the sentence says since when, and stays the same meanwhile.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._follow, name="gallery news", daemon=True)
            self._thread.start()
        self._begun.wait()  # what the thread does is bounded
        with self._lock:
            people, self._ready = self._ready, None
            fault = self._fault
        if people is None and fault:
            raise GalleryError(fault)
        return people

    def close(self) -> None:
        """Let go of the database; nothing is told any more."""
        self._stopped.set()
        self._waker.close()
        if self._thread is not None:
            self._thread.join(_CLOSE_SECONDS)
        self._woken.close()

    def _follow(self) -> None:
        from engine.verify.gallery.postgres.tables import PostgresTables

        while not self._stopped.is_set():
            try:
                tables = PostgresTables(self._address, read_only=True, application="gallery news")
                try:
                    self._listen(tables)
                finally:
                    tables.close()
            except FacestreamError as error:
                self._be_away(str(error))
            except Exception as error:  # the thread must not end in silence: nobody would hear of a removal any more
                _log.exception("the gallery %s is no longer followed", self.where)
                self._be_away(f"the gallery {self.where}: {type(error).__name__}: {error}")
            self._begun.set()
            self._stopped.wait(_RETRY_SECONDS)

    def _listen(self, tables: PostgresTables) -> None:
        tables.connection.add_notify_handler(lambda _: setattr(self, "_pushed", True))
        tables.execute(f'LISTEN "{self._address.channel}"')
        while not self._stopped.is_set():
            self._pushed = False
            self._take(tables)
            self._begun.set()
            if not self._pushed:  # else something came in with the answers
                wait([tables.connection.fileno(), self._woken], _LOOK_SECONDS)

    def _take(self, tables: PostgresTables) -> None:
        """Read what is new, and lay it ready."""
        with self._nearest(tables) as source:
            people = None
            if (state := source.state()) != self._laid_out:
                people, self._laid_out = self._reading.read(source), state
            self._lay_ready(people, "")  # before the cache is closed, which waits for the disk

    @contextmanager
    def _nearest(self, tables: PostgresTables) -> Iterator[GalleryTables]:
        """Yield the cache, brought up to date; the database itself where there can be none."""
        cache = None
        try:
            cache = CacheFile(self._cache)
            bring_up_to_date(tables, cache)
        except GalleryError as error:
            tables.state()  # it raises if it is the database that is away
            if type(error.__cause__) is sqlite3.DatabaseError:  # damaged: it is made anew, next time
                forget_cache(self._cache)
            if str(error) != self._cacheless:
                _log.warning("this machine keeps no copy of the gallery %s: %s", self.where, error)
                self._cacheless = str(error)
            yield tables
        else:
            self._cacheless = ""
            yield cache
        finally:
            if cache is not None:
                cache.close()

    def _be_away(self, why: str) -> None:
        """Say so, and lay the people of the cache ready where there were none yet, or nobody where they are too old."""
        people, seen_ns = None, 0
        with suppress(GalleryError):
            cache = CacheFile(self._cache, read_only=True)
            try:
                seen_ns, state = cache.seen_ns, cache.state()
                if self._laid_out is None and seen_ns:
                    people, self._laid_out = self._reading.read(cache), state
            finally:
                cache.close()
        words = f"{why}; names are as of {utc_words(seen_ns)}, from this machine's copy" if seen_ns else why
        if seen_ns and self._max_age and time.time_ns() - seen_ns > self._max_age * 1e9:
            words = f"{why}; nobody is named, since this machine's copy is of {utc_words(seen_ns)} (verify.gallery_max_age)"
            if self._laid_out != _NOBODY:
                people, self._laid_out = Snapshot.of(), _NOBODY
        self._lay_ready(people, words)

    def _lay_ready(self, people: Snapshot | None, fault: str) -> None:
        with self._lock:
            self._fault = fault
            if people is not None:
                self._ready = people
