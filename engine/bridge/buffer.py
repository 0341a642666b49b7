"""The queue of messages that wait for the link: an SQLite file, which survives a kill at any moment and a power cut.

SQLite rather than segment files of our own: messages, acknowledgements and the bridge's position change in one transaction; its
log's checksums find a torn end; freed space is reused in any order; a full disk leaves what was there.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from engine.bridge import buffer_file as on_disk
from engine.bridge.buffer_file import PAGE_BYTES, RESERVE_BYTES, is_damage, is_no_room
from engine.bridge.entries import Entry, Mark, joined
from engine.bridge.names import Key
from engine.bridge.packing import Missing
from engine.client.sequence import Position
from engine.errors import OutputError, PublishError
from engine.lock import DirectoryLock
from engine.words.seldom import Pace

_OVERHEAD_BYTES = 256
"""Of an entry, besides its body."""
_GIVE_WAY_SHARE, _GIVE_WAY_BYTES = 1 / 64, 8 << 20
"""Of the bound, and at most, so much goes at once when the buffer is full."""
_SHRINK_PAGES = 1024
_INSERT = "INSERT INTO entry (id, run, stream, kind, first, last, missing, added_ns, crc, body) VALUES (?,?,?,?,?,?,?,?,?,?)"
_AFTER = "SELECT id, run, stream, kind, first, last, missing, crc, body FROM entry WHERE id > ? ORDER BY id LIMIT ?"
_OLDEST = "SELECT id, run, stream, kind, first, last, missing, length(body) FROM entry ORDER BY id"
_COUNT = f"SELECT count(*), total({_OVERHEAD_BYTES} + length(body)), coalesce(max(id), 0), coalesce(min(id), 0) FROM entry"
_MARK = "REPLACE INTO mark SELECT key, value FROM json_each(?)"


class Buffer:
    """For two threads: one puts and commits, one reads and acknowledges."""

    def __init__(
        self, folder: Path, limit_bytes: int, prefix: str, *, gives_way: bool = True, warn: Callable[[str], None]
    ) -> None:
        """Open it, with what an earlier process has left.

        Args:
            folder: made where there is none, for its owner alone.
            limit_bytes: of all that waits.
            prefix: of the site whose messages wait here.
            gives_way: beyond ``limit_bytes`` the oldest goes; False: whoever puts heeds ``is_full``.
            warn: is told, in a sentence, what was lost.

        Raises:
            ConfigError: messages of another site wait in it.
            OutputError: it cannot be opened.
            PublishError: another process has it.
        """
        self.folder, self.limit_bytes = folder, limit_bytes
        self._gives_way, self._warn = gives_way, warn
        self._mutex = threading.Lock()
        self._puts: list[Entry] = []
        self.uncommitted_bytes = 0
        """Of what was put since the last commit."""
        self._acks: dict[int, Mark | None] = {}
        self._reader: sqlite3.Connection | None = None
        self._pace, self._is_starved = Pace(), False
        self.heard: Callable[[], None] = lambda: None
        """Called after a commit that has brought something."""
        self.gave_way = 0
        """Messages that went because there was no room."""
        self.changes = 0
        """Grows when gaps came in front of what waits."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = DirectoryLock(folder)
        except OSError as error:
            raise OutputError(f"the buffer {folder} cannot be used: {error.strerror}") from error
        except PublishError as error:
            raise PublishError(f"another bridge uses the buffer {folder}: give each one its own --buffer") from error
        try:
            self._writer = on_disk.opened(folder, prefix, warn)
            self.waiting, size, newest, oldest = self._writer.execute(_COUNT).fetchone()
        except BaseException:
            self._lock.close()
            raise
        self.waiting_bytes, self._next, self._front = int(size), max(newest, 0) + 1, min(oldest, 0)

    def close(self) -> None:
        """Close the file; what was put and not committed is lost. Twice does no harm."""
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._lock.close()

    @property
    def is_full(self) -> bool:
        """Whether more than ``limit_bytes`` wait."""
        return self.waiting_bytes >= self.limit_bytes

    def position(self) -> Position | None:
        """Return how far the newest run had come, as of the last commit; None before any."""
        rows = self._writer.execute("SELECT stream, kind, next, run FROM position").fetchall()
        return Position(rows[0][3], {(stream, kind): following for stream, kind, following, _ in rows}) if rows else None

    def put(self, key: Key, body: bytes, missing: Missing | Literal[""] = "") -> None:
        """Add a message or a gap; from the next ``commit`` on it is there."""
        self._puts.append(Entry(self._next, key, missing, body))
        self.uncommitted_bytes += len(body)
        self._next += 1

    def acknowledge(self, entry: Entry, mark: Mark | None = None) -> None:
        """Let go of an entry; from the next ``commit`` on it is gone, and ``mark`` is among the ``marks``.

        A gap for what gave way goes first and may stand in the log behind what still waits: its mark is none.
        """
        with self._mutex:
            self._acks[entry.number] = mark if entry.number > 0 else None

    def marks(self) -> dict[str, int]:
        """Return the marks of a broker's log, by its parts; called and raises as ``after``."""
        return dict(self._noted("SELECT part, next FROM mark"))

    def set_marks(self, marks: Mapping[str, int]) -> None:
        """Write marks to the disk now, before anything is sent; called and raises as ``after``."""
        self._noted(_MARK, json.dumps(marks))

    def commit(self) -> bool:
        """Write what was put and acknowledged to the disk, all or nothing; return whether it is there.

        False: there is no room, and nothing could give way: what was put is held, to be committed again.

        Raises:
            OutputError: the file is damaged, and was set aside.
        """
        with self._mutex:
            acks = dict(self._acks)
        puts, least = self._puts, min(int(self.limit_bytes * _GIVE_WAY_SHARE), _GIVE_WAY_BYTES)
        if not puts and not acks:
            return True
        while not self._fits(puts) or not self._changed(puts, acks):
            self._relieve()
            if self._gives_way and self._give_way(least, "there is no room on the disk"):
                continue
            self._say("there is no room on the disk: what comes waits")
            if acks and self._changed([], acks):
                self._forget(acks)
            return False
        self._puts, self.uncommitted_bytes = [], 0
        self._forget(acks)
        if self._gives_way and self.is_full:
            self._give_way(self.waiting_bytes - self.limit_bytes + least, "it is full")
        if puts:
            self.heard()
        return True

    def after(self, number: int | None, most: int, most_bytes: int) -> list[Entry]:
        """Return what comes next behind ``number`` (None: from the front) and is not acknowledged: at most so many, and no more
        once they are so large.

        Raises:
            OutputError: the file is damaged, and was set aside; or cannot be read.
        """
        found: list[Entry] = []
        size = 0
        try:
            least = self._front - 1 if number is None else number
            with closing(self._reading().execute(_AFTER, (least, most + len(self._acks)))) as rows:
                for *identity, missing, crc, body in rows:
                    if identity[0] in self._acks:
                        continue
                    whole = missing or zlib.crc32(body) == crc
                    found.append(Entry(identity[0], Key(*identity[1:]), *((missing, body) if whole else ("damaged", b""))))
                    size += len(body)
                    if size >= most_bytes or len(found) == most:
                        break
        except sqlite3.DatabaseError as error:
            raise self._failure(error) from error
        return found

    def waits_since_ns(self) -> int:
        """Return when the oldest entry came (Unix, nanoseconds); 0: nothing waits."""
        found = self._writer.execute("SELECT added_ns FROM entry ORDER BY id LIMIT 1").fetchone()
        return int(found[0]) if found else 0

    def tend(self) -> None:
        """Give back a part of the disk that an outage took, and take the ballast anew; call it now and then."""
        self._is_starved = not on_disk.lay_ballast(self.folder) and self._is_starved
        if self._free_bytes() > 2 * RESERVE_BYTES + self.waiting_bytes:
            with suppress(sqlite3.OperationalError):
                # Not execute: it takes one page, as that statement has a step for each and no rows.
                self._writer.executescript(f"PRAGMA incremental_vacuum({_SHRINK_PAGES})")

    def _changed(self, puts: list[Entry], acks: Mapping[int, Mark | None], stop: int | None = None) -> bool:
        """Carry one transaction out, and count; return whether there was room for it.

        Args:
            puts: come.
            acks: go, with their marks.
            stop: all that is older goes; None: nothing.
        """
        count, size = len(puts), sum(_OVERHEAD_BYTES + len(entry.body) for entry in puts)
        now, writer = time.time_ns(), self._writer
        try:
            writer.execute("BEGIN IMMEDIATE")
            for number in acks:
                for (length,) in writer.execute("DELETE FROM entry WHERE id = ? RETURNING length(body)", (number,)).fetchall():
                    count, size = count - 1, size - length - _OVERHEAD_BYTES
            writer.execute(_MARK, (json.dumps(dict(mark for mark in acks.values() if mark)),))
            if stop is not None:
                writer.execute("DELETE FROM entry WHERE id < ?", (stop,))
            rows = ((entry.number, *entry.key, entry.missing, now, zlib.crc32(entry.body), entry.body) for entry in puts)
            writer.executemany(_INSERT, rows)
            if puts and stop is None:
                self._note(puts)
            writer.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            if writer.in_transaction:
                with suppress(sqlite3.Error):
                    writer.execute("ROLLBACK")
            if is_no_room(error):
                return False
            raise self._failure(error) from error
        self.waiting, self.waiting_bytes = self.waiting + count, self.waiting_bytes + size
        return True

    def _noted(self, statement: str, *values: str) -> list[tuple[str, int]]:
        try:
            return self._reading().execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._failure(error) from error

    def _reading(self) -> sqlite3.Connection:
        self._reader = self._reader or on_disk.connected(self.folder)
        return self._reader

    def _fits(self, puts: list[Entry]) -> bool:
        """Whether to try: what the ballast gave on a full disk is for letting go, not for more."""
        return not self._is_starved or self._free_bytes() > 2 * sum(_OVERHEAD_BYTES + len(entry.body) for entry in puts)

    def _relieve(self) -> None:
        """Drop the ballast, and let the log be written back into its room."""
        self._is_starved = True
        if on_disk.drop_ballast(self.folder):
            with suppress(sqlite3.OperationalError):
                self._writer.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()

    def _free_bytes(self) -> int:
        return int(self._writer.execute("PRAGMA freelist_count").fetchone()[0]) * PAGE_BYTES

    def _forget(self, acks: Mapping[int, Mark | None]) -> None:
        with self._mutex:
            for number in acks:
                del self._acks[number]

    def _note(self, puts: list[Entry]) -> None:
        run = puts[-1].key.run_id
        self._writer.execute("DELETE FROM position WHERE run != ?", (run,))
        following = {(key.stream, key.kind): key.last_seq + 1 for _, key, _, _ in puts if key.run_id == run}
        rows = ((stream, kind, run, number) for (stream, kind), number in following.items())
        self._writer.executemany("REPLACE INTO position (stream, kind, run, next) VALUES (?,?,?,?)", rows)

    def _give_way(self, least_bytes: int, why: str) -> bool:
        """Put gaps in the place of the oldest messages; return whether there were any, and they went."""
        size, stop, messages = 0, None, 0
        went: list[tuple[Key, Missing]] = []
        with closing(self._writer.execute(_OLDEST)) as rows:
            for number, run, stream, kind, first, last, missing, length in rows:
                if size >= least_bytes and messages:
                    stop = number
                    break
                went.append((Key(run, stream, kind, first, last), missing or "buffer_full"))
                messages += not missing
                size += _OVERHEAD_BYTES + length
        if not messages:
            return False
        gaps = joined(went)
        front = self._front - len(gaps)
        entries = [Entry(front + place, key, missing, b"") for place, (key, missing) in enumerate(gaps)]
        if not self._changed(entries, {}, self._next if stop is None else stop):
            return False
        self.waiting, self.waiting_bytes, self._front = self.waiting - len(went), self.waiting_bytes - size, front
        self.gave_way += messages
        self.changes += 1
        self._say(f"{why}: the oldest messages are dropped, {self.gave_way:,} so far")
        self.heard()
        return True

    def _failure(self, error: sqlite3.Error) -> OutputError:
        if is_damage(error):
            self.close()
            return OutputError(f"{on_disk.set_aside(self.folder, error)}: start the bridge again")
        return OutputError(f"the buffer {self.folder} cannot be read or written: {error}")

    def _say(self, sentence: str) -> None:
        if self._pace.due("") is not None:
            self._warn(f"the buffer {self.folder}: {sentence}")
