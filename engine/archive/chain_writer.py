"""Writes the chain of a run while the run goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from engine.archive.chain import CHAIN, Block, Keep, Kind, last_line
from engine.archive.files import Appended, cut_torn_line
from engine.archive.pieces import chained_files, digest, digests, size_of_pieces
from engine.config import OutputConfig
from engine.contracts.hash_chain import FIRST, decode, encode, hash_of
from engine.errors import ConfigError, PublishError
from engine.keys.signing import SigningKey

SEAL_SECONDS = 1.0
"""A kill leaves at most so much that no block vouches for, where messages come."""
_MOST_PIECES = 4096


class ChainWriter:
    """Appends blocks to one chain. The caller holds the directory's lock.

    Args:
        directory: of the run.
        key: signs every block; None: none is signed.
        may_break_off: a chain that is signed may go on without a key.

    Raises:
        ConfigError: the chain is signed, there is no key, and there must be one.
        PublishError: the end of the chain is damaged.
        OSError: it cannot be read or written.
    """

    def __init__(self, directory: Path, key: SigningKey | None = None, *, may_break_off: bool = False) -> None:
        self._key = key
        cut_torn_line(directory / CHAIN)
        line = last_line(directory)
        self.last = decode(line, Block) if line else None
        """The newest block; None: there is none yet."""
        if line and self.last is None:
            raise PublishError(f"the last block of {directory / CHAIN} is damaged: see `facestream audit {directory}`")
        if key is None and not may_break_off:
            check_may_go_on(directory)
        self._before = hash_of(line) if line else FIRST
        self._pieces: dict[str, list[str]] = {}
        self._sizes: dict[str, int] = {} if self.last is None else dict(self.last.sizes)
        self._count, self._sealed = 0, time.monotonic()
        self._file = Appended(directory / CHAIN)

    def note(self, name: str, piece: bytes | memoryview, end: int) -> None:
        """A piece was appended to a file, which is ``end`` bytes long now."""
        self._pieces.setdefault(name, []).append(digest(piece).hex())
        self._sizes[name] = end
        self._count += 1

    def look(self) -> None:
        """Write a block, if there is something to vouch for and the last one is some time ago.

        Raises:
            OSError: it cannot be written; the next one vouches for all of it.
        """
        if self._count >= _MOST_PIECES or (self._count and time.monotonic() - self._sealed >= SEAL_SECONDS):
            self.add("sealed")

    def add(self, kind: Kind, **facts: Any) -> None:
        """Write a block, with all that was noted since the last one; ``facts`` as of ``Block``.

        Raises:
            OSError: it cannot be written; the next one vouches for all of it.
        """
        sizes = self._sizes | facts.pop("sizes", {})
        number = 0 if self.last is None else self.last.number + 1
        told = {"pieces": self._pieces} | facts
        block = Block(number=number, at_ns=time.time_ns(), kind=kind, before=self._before, sizes=sizes, **told)
        block = block.finished(self._key)
        line = encode(block)
        self._file.append(line)
        self.last, self._before = block, hash_of(line)
        self._pieces, self._sizes, self._count, self._sealed = {}, sizes, 0, time.monotonic()

    def go_on(self, directory: Path) -> None:
        """Vouch for what a publisher that died had written since its last block; quick, as only the ends of files are read.

        Raises:
            OSError: a file cannot be read.
        """
        names = chained_files(directory)
        found, sizes = self._tails(directory, names), {name: size_of_pieces(directory / name) for name in names}
        self.add("found", why="restart", pieces=found, sizes=sizes)

    def correct(self, directory: Path, name: str, who: str) -> None:
        """Vouch for what somebody has added to a file, if there is anything.

        Raises:
            OSError: it cannot be read.
        """
        if found := self._tails(directory, [name] if (directory / name).is_file() else []):
            self.add("corrected", who=who, pieces=found, sizes={name: size_of_pieces(directory / name)})

    def _tails(self, directory: Path, names: list[str]) -> dict[str, list[str]]:
        """Return the pieces of files behind the last that the chain has."""
        new = {name: digests(directory / name, self._sizes.get(name, 0)) for name in names}
        return {name: [some[at : at + 32].hex() for at in range(0, len(some), 32)] for name, some in new.items() if some}

    def sync(self) -> None:
        """Wait until all blocks would survive a power cut.

        Raises:
            OSError: they could not be written.
        """
        self._file.sync()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def check_may_go_on(directory: Path) -> None:
    """Refuse to go on without a key where there was one.

    Raises:
        ConfigError: the last block of a directory's chain is signed.
        OSError: the chain cannot be read.
    """
    last = decode(last_line(directory), Block)
    if last is not None and last.key:
        raise ConfigError(
            f"the run in {directory} is signed, so additions must be signed too: give the key (--sign), or choose another "
            "directory"
        )


def keep_of(output: OutputConfig) -> Keep | None:
    """Return what the settings of an output directory let go; None: nothing."""
    keep = Keep.of(
        pictures_days=output.keep_pictures_days,
        pictures_gb=output.keep_pictures_gb,
        records_days=output.keep_records_days,
        records_gb=output.keep_records_gb,
    )
    return None if keep.keeps_all else keep
