"""The desired state: which cameras and settings there should be, whatever happens to the process or the machine.

One whole file, written and synced before anybody is told that a change was done. The state before it is kept beside it.

The streams of the configuration file are not copied: they follow the file, and only what was done to them is remembered
(``paused``, ``removed``). One that is added or changed while the service runs is kept here and no longer follows the file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from engine.config import SourceConfig
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, PublishError
from engine.whole_file import left_by_a_kill, replacing, sync_directory

_NO_CONTENT = b""
_PLAIN = msgspec.to_builtins(SourceConfig(uri=""))


class Held(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A camera that was added or changed while the service ran."""

    source: SourceConfig
    """Named, without user and password; ``credentials`` is the name of a file in the service's folder of them."""
    paused: bool = False


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was answered to something that is not to be done twice."""

    key: str
    """Who asked, and the SHA-256 of the idempotency key."""
    asked: str
    """HMAC-SHA-256 of the request under the idempotency key."""
    reply: bytes
    """Of ``encode_reply``, without names of people."""
    time_ns: int
    """Wall clock (Unix)."""


class Desired(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """All of it."""

    format: Literal[1] = 1
    streams: dict[str, Held] = {}
    """By name. One of the name of a stream of the configuration file stands in its place."""
    paused: tuple[str, ...] = ()
    """Streams of the configuration file that are paused."""
    removed: tuple[str, ...] = ()
    """Streams of the configuration file that were removed, for as long as the file names them."""
    settings: dict[str, Any] = {}
    """Settings that were changed, by ``section.key``; they win over the configuration file."""
    answers: tuple[Answer, ...] = ()
    """The newest, oldest first."""

    def following(self, from_file: Collection[str]) -> Desired:
        """Return the state without what was said of streams that the configuration file no longer names."""
        return replace(
            self,
            paused=tuple(name for name in self.paused if name in from_file),
            removed=tuple(name for name in self.removed if name in from_file),
        )


class DesiredFile:
    """Where the desired state is kept.

    Args:
        path: ``desired.json`` in a folder that exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.previous = path.with_name(f"{path.stem}.previous{path.suffix}")
        self._written = _NO_CONTENT

    def load(self) -> Desired:
        """Return the state that was saved last; an empty one where none ever was.

        Raises:
            ConfigError: the file is damaged or cannot be read; nothing is guessed.
        """
        for left in (*left_by_a_kill(self.path), *left_by_a_kill(self.previous)):
            left.unlink(missing_ok=True)
        try:
            if not self.path.exists() and not self.previous.exists():
                return Desired()
            content = self.path.read_bytes()
        except OSError as error:
            raise ConfigError(self._damaged(f"cannot be read ({error.strerror})")) from error
        try:
            desired = msgspec.json.decode(content, type=Desired)
        except UNREADABLE as error:
            raise ConfigError(self._damaged(f"is damaged, or of another version ({error})")) from error
        self._written = content
        return desired

    def save(self, desired: Desired, step: Callable[[str], None] = lambda name: None) -> None:
        """Keep a state; when this returns, it outlives a power cut.

        Args:
            step: called before each step; for tests.

        Raises:
            PublishError: it could not be written; the state before stays.
        """
        content = _encoded(desired)
        if content == self._written:
            return
        try:
            if self._written != _NO_CONTENT:
                step("previous")
                _write(self.previous, self._written, step)
            step("new")
            _write(self.path, content, step)
            step("synced")
            sync_directory(self.path.parent)
        except OSError as error:
            self._take_back(content)
            raise PublishError(
                f"the desired state cannot be kept in {self.path}: {error.strerror}; nothing was changed in it"
            ) from error
        self._written = content

    def _take_back(self, content: bytes) -> None:
        """Where a state that could not be kept is in place all the same, put the one before there again."""
        with suppress(OSError):
            if self.path.read_bytes() == content:
                if self._written == _NO_CONTENT:
                    self.path.unlink()
                else:
                    _write(self.path, self._written, lambda name: None)

    def names(self, file: str) -> bool:
        """Whether the state on the disk, or the one before it, names a file; also where that cannot be read."""
        try:
            return any(file.encode() in path.read_bytes() for path in (self.path, self.previous) if path.exists())
        except OSError:
            return True

    def _damaged(self, what: str) -> str:
        words = f"the desired state {self.path} {what}"
        if not self.previous.exists():
            return f"{words}: restore it from a copy, or move it away to begin with the configuration file alone"
        return (
            f"{words}: the state before its last change is in {self.previous}; take it with "
            f"`cp {quote(str(self.previous))} {quote(str(self.path))}`"
        )


def _encoded(desired: Desired) -> bytes:
    """Return the text of the file; of a camera only what is not as by default."""
    tree = msgspec.to_builtins(desired)
    for held in tree.get("streams", {}).values():
        held["source"] = {key: value for key, value in held["source"].items() if value != _PLAIN.get(key)}
    return msgspec.json.format(msgspec.json.encode(tree), indent=1) + b"\n"


def _write(path: Path, content: bytes, step: Callable[[str], None]) -> None:
    with replacing(path) as beside:
        with beside.open("wb") as file:
            step(f"write {path.name}")
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        step(f"replace {path.name}")
