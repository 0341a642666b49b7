"""The files that hold keys: what is in them, and how they are read and written.

Keys are CURVE's, in Z85: 40 printable characters. A file with a secret is for its owner alone, and is refused where others may
read it.
"""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote
from typing import Literal, TypeVar

import msgspec
import zmq

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError
from engine.keys.curve import require_curve
from engine.keys.topics import EVERYTHING, check_rights, may_read
from engine.private_file import others_may_read
from engine.whole_file import sync_directory, write_private

ControlRole = Literal["view", "operate", "enrol"]
_LARGEST_BYTES = 64 * 1024
_Z85 = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#")
"""Every character stands for a digit."""


class _Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal[1] = 1
    public: str

    def keys(self) -> tuple[str, ...]:
        """Return the keys in it that must be 40 characters of Z85."""
        return (self.public,)


class ServerKey(_Keys, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="facestream", tag="server key"):
    """Who the engine is; its secret never leaves the folder."""

    secret: str

    def keys(self) -> tuple[str, ...]:
        return (self.public, self.secret)

    def __repr__(self) -> str:
        return f"ServerKey({self.public})"


class Client(_Keys, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="facestream", tag="client"):
    """Who may read, and what: one entry of the allow-list."""

    name: str
    topics: tuple[str, ...] = (EVERYTHING,)
    control: tuple[ControlRole, ...] = ()
    """What it may ask of a service."""
    made: str = ""
    """When, in UTC, as 2026-03-01T13:05:00Z."""

    @property
    def rights(self) -> tuple[tuple[str, ...], ...]:
        """All that it may."""
        return self.topics, self.control

    @property
    def reads_everything(self) -> bool:
        return EVERYTHING in self.topics


class ClientKey(_Keys, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="facestream", tag="client key"):
    """What a client is given: all that it needs to connect."""

    name: str
    secret: str
    server: str
    """The engine's public key: nobody else can pass for it."""
    topics: tuple[str, ...] = (EVERYTHING,)

    def is_for(self, stream: str, kind: str) -> bool:
        """Return whether messages of a stream and kind were among its topics when it was given: else nobody misses them."""
        return may_read(f"v1/{kind}/{stream}/" if stream else f"v1/{kind}/", self.topics)

    def keys(self) -> tuple[str, ...]:
        return (self.public, self.secret, self.server)

    def __repr__(self) -> str:
        return f"ClientKey({self.name!r}, {self.public})"


Kind = TypeVar("Kind", ServerKey, Client, ClientKey)
_WORDS: dict[type[_Keys], str] = {
    ServerKey: "the engine's key",
    Client: "an entry of `facestream keys`",
    ClientKey: "a client's key",
}


def read_key(path: Path, kind: type[Kind]) -> Kind:
    """Return what a file holds.

    Raises:
        ConfigError: it cannot be read, is not of this kind, is damaged, or others may read the secret in it.
        MissingRuntimeError: there is a secret in it, and the installed libzmq cannot use it.
    """
    try:
        with path.open("rb") as file:
            status, text = os.fstat(file.fileno()), file.read(_LARGEST_BYTES)
    except OSError as error:
        raise ConfigError(f"cannot read {path}, {_WORDS[kind]}: {error.strerror}") from error
    try:
        found = msgspec.json.decode(text, type=kind)
        check_rights(getattr(found, "topics", ()))
    except (*UNREADABLE, ConfigError) as error:
        raise ConfigError(f"{path} is not {_WORDS[kind]}, or damaged: make it again with `facestream keys new`") from error
    if not all(map(_is_key, found.keys())) or not _belong_together(found):
        raise ConfigError(f"{path} is damaged: it holds no keys; make it again with `facestream keys new`")
    if kind is not Client and others_may_read(status):
        raise ConfigError(
            f"others may read the secret in {path}: run `chmod 600 {quote(str(path))}`, and make a new key if somebody has"
        )
    return found


def write_key(path: Path, content: ServerKey | Client | ClientKey) -> None:
    """Write a file, see ``write_private``.

    Raises:
        FileExistsError: there is one.
        OSError: it could not be written.
    """
    write_private(path, shown_as_file(content), new=True)


def shown_as_file(content: ServerKey | Client | ClientKey) -> bytes:
    """Return the text of a file, with its secret."""
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _is_key(text: str) -> bool:
    return len(text) == 40 and _Z85.issuperset(text)


def _belong_together(found: ServerKey | Client | ClientKey) -> bool:
    if isinstance(found, Client):
        return True
    require_curve()
    try:
        return zmq.curve_public(found.secret.encode()).decode() == found.public
    except (zmq.ZMQError, ValueError):
        return False


def remove_entry(path: Path, missing: str) -> None:
    """Take an entry out for good, also across a power cut.

    Args:
        path: of its file.
        missing: the sentence where there is none.

    Raises:
        ConfigError: there is none, or the folder cannot be written.
    """
    try:
        path.unlink()
        sync_directory(path.parent)
    except FileNotFoundError as error:
        raise ConfigError(missing) from error
    except OSError as error:
        raise ConfigError(f"cannot remove {path}: {error.strerror}") from error
