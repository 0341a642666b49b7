"""What a child process writes to its standard output and error: warnings, prints of libraries, last words of a crash."""

from __future__ import annotations

import multiprocessing as mp
import os
import re
import sys
from contextlib import suppress
from multiprocessing.connection import Connection

_AT_ONCE_BYTES = 1 << 16
_LONGEST_LINE = 2000
"""Characters; the rest of a line is left out."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class ChildText:
    """The parent's end. For one thread."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._rest = b""
        self.is_open = True
        """Whether more may come."""
        os.set_blocking(pipe.fileno(), False)

    def fileno(self) -> int:
        return self._pipe.fileno()

    def read(self) -> list[str]:
        """Return the lines that have come since the last call, without colours and without waiting."""
        while self.is_open:
            try:
                piece = os.read(self._pipe.fileno(), _AT_ONCE_BYTES)
            except BlockingIOError:
                break
            self.is_open = bool(piece)
            self._rest += piece
            if len(self._rest) >= _AT_ONCE_BYTES:
                break
        *lines, self._rest = self._rest.split(b"\n")
        if self._rest and (not self.is_open or len(self._rest) >= _AT_ONCE_BYTES):
            lines.append(self._rest)
            self._rest = b""
        return [text for line in lines if (text := _plain(line))]

    def close(self) -> None:
        """Close this end; may be called again."""
        self.is_open = False
        self._pipe.close()


def text_pipe() -> tuple[ChildText, Connection]:
    """Return the parent's end of a new pipe, and the end to hand to a child, which calls ``write_all_to`` with it."""
    ours, theirs = mp.Pipe(duplex=False)
    return ChildText(ours), theirs


def write_all_to(pipe: Connection) -> None:
    """From now on, whatever this process prints, in Python or below it, goes there."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    for descriptor in (1, 2):
        os.dup2(pipe.fileno(), descriptor)
    pipe.close()
    with suppress(AttributeError):
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]


def _plain(line: bytes) -> str:
    return _COLOURS.sub("", line.decode(errors="backslashreplace")).rstrip()[:_LONGEST_LINE]
