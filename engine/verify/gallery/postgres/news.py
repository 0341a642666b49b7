"""Follows a gallery in a database during a run: the database notifies, this machine keeps a copy, and nothing waits.

A thread listens, updates the cache and provides the people. While the database is unreachable the cached people are used, also
at the start of a run; this is reported, with the time of the copy.
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
"""A silent database is queried this often, to see that it is there and that no notification was missed."""
_RETRY_SECONDS = 1.0
_CLOSE_SECONDS = 15.0
_NOBODY = ("", -1)


class PostgresNews:
    """See ``GalleryNews``. Following starts with the first call of ``news``.

    Args:
        address: of the gallery.
        cache: this machine's file.
        embedder_sha256: the embedder of the vectors.
        max_age: seconds; if the database is unreachable for longer, nobody is given a name. 0: no limit.
    """

    def __init__(self, address: Address, cache: Path, embedder_sha256: str, max_age: float = 0.0) -> None:
        self._address, self._cache, self._max_age = address, cache, max_age
        self._reading = GalleryReading(embedder_sha256)
        self._lock, self._begun, self._stopped = threading.Lock(), threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._ready: Snapshot | None = None
        self._fault = ""
        self._laid_out: tuple[str, int] | None = None
        """State of the gallery from which people were last provided."""
        self._cacheless = ""
        """Why there is no cache; empty if there is one."""
        self._pushed = False
        self._waker, self._woken = socket.socketpair()

    @property
    def where(self) -> str:
        """The address, without a password."""
        return self._address.where

    def news(self) -> Snapshot | None:
        """See ``GalleryNews``. The first call waits until reading the gallery has succeeded or failed.

        Raises:
            GalleryError: the database is unreachable; the sentence says since when, and does not change meanwhile.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._follow, name="gallery news", daemon=True)
            self._thread.start()
        self._begun.wait()  # the thread's work is bounded
        with self._lock:
            people, self._ready = self._ready, None
            fault = self._fault
        if people is None and fault:
            raise GalleryError(fault)
        return people

    def close(self) -> None:
        """Disconnect from the database and stop following."""
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
            except Exception as error:  # the thread must not end silently: removals would no longer be noticed
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
            if not self._pushed:  # otherwise a notification arrived with the answers
                wait([tables.connection.fileno(), self._woken], _LOOK_SECONDS)

    def _take(self, tables: PostgresTables) -> None:
        """Read what is new, and provide it."""
        with self._nearest(tables) as source:
            people = None
            if (state := source.state()) != self._laid_out:
                people, self._laid_out = self._reading.read(source), state
            self._lay_ready(people, "")  # before the cache is closed, which waits for the disk

    @contextmanager
    def _nearest(self, tables: PostgresTables) -> Iterator[GalleryTables]:
        """Yield the updated cache, or the database itself if there can be no cache."""
        cache = None
        try:
            cache = CacheFile(self._cache)
            bring_up_to_date(tables, cache)
        except GalleryError as error:
            tables.state()  # raises if the database is the one that is unreachable
            if type(error.__cause__) is sqlite3.DatabaseError:  # damaged: it is created again next time
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
        """Report it, and provide the cached people if there were none yet, or nobody if the cache is too old."""
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
