"""Who may ask over HTTP: a folder with one file a token, which holds its hash and never the token itself.

A token is 32 random bytes, so one round of SHA-256 hides it: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from shlex import quote
from typing import get_args

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.control.verbs import Role
from engine.errors import ConfigError
from engine.keys.files import remove_entry
from engine.private_file import is_ours_alone, make_own_folder, version_of
from engine.whole_file import write_private

PREFIX = "fs_"
OWNER = "owner"
"""What the one is called who used the link that stands on the terminal; no token can be called so."""
ROLES: tuple[Role, ...] = get_args(Role)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SUFFIX = ".json"
_LARGEST_BYTES, _MOST = 16 * 1024, 1000


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="facestream", tag="http token"):
    """Who has a token, and what may be done with it."""

    name: str
    roles: tuple[Role, ...]
    sha256: str = ""
    """Of the token, in hexadecimal digits; empty: there is none, a certificate is shown."""
    certificate: bool = False
    """Whoever shows a client certificate with this common name may do this too, where TLS asks for certificates."""
    made: str = ""
    """When, in UTC, as 2026-03-01T13:05:00Z."""


def hashed(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class TokenFolder:
    """The tokens of one service; several processes may use it at once.

    Args:
        path: the folder; it need not exist before ``add``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()
        self._state: object = None
        self._known: tuple[Entry, ...] = ()
        self.complaints: tuple[str, ...] = ()
        """Of the last look: a sentence on each file that lets nobody in."""

    def add(self, name: str, roles: Iterable[str], *, certificate: bool = False) -> str:
        """Let somebody in; return the token, which is nowhere else, or nothing where a certificate takes its place.

        Raises:
            ConfigError: the name or a role cannot be used, there is such a token already, or the folder cannot be written.
        """
        path = self._file(name)
        if name.lower() == OWNER:
            raise ConfigError(f"a token cannot be called {name}: whoever uses the link of the terminal is; choose another name")
        wanted = tuple(dict.fromkeys(roles))
        if not wanted or not set(wanted) <= set(ROLES):
            raise ConfigError(f"--roles {', '.join(wanted) or 'is empty'}: give one or more of {', '.join(ROLES)}")
        token = "" if certificate else PREFIX + secrets.token_urlsafe(32)
        made = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        entry = Entry(
            name=name,
            roles=tuple(role for role in ROLES if role in wanted),
            sha256=hashed(token) if token else "",
            certificate=certificate,
            made=made,
        )
        self._write(path, msgspec.json.format(msgspec.json.encode(entry), indent=2) + b"\n")
        return token

    def revoke(self, name: str) -> None:
        """Let somebody in no longer.

        Raises:
            ConfigError: there is no such token, or the folder cannot be written.
        """
        remove_entry(self._file(name), f"there is no token {name} in {self.path}: see `facestream tokens list`")

    def entries(self) -> tuple[Entry, ...]:
        """Return who may ask, by name; nobody where there is no folder. Files are read again where any has changed.

        Raises:
            ConfigError: the folder cannot be read, or others may use it.
        """
        try:
            if not is_ours_alone(self.path.stat()):
                raise ConfigError(f"others may use the folder of tokens {self.path}: run `chmod 700 {quote(str(self.path))}`")
            found = sorted(self.path.iterdir())[:_MOST]
            state = tuple((path.name, *version_of(status)) for path in found if (status := _look(path)))
        except FileNotFoundError:
            found, state = [], ()
        except OSError as error:
            raise ConfigError(f"cannot read {self.path}: {error.strerror}") from error
        if state != self._state:
            self._read(found)
            self._state = state
        return self._known

    def who_has(self, token: str) -> Entry | None:
        """Return whose token this is; how long it takes says nothing about how much of it is right.

        Raises:
            ConfigError: the folder cannot be read, or others may use it.
        """
        asked, found = hashed(token), None
        for entry in self.entries():
            if entry.sha256 and hmac.compare_digest(asked, entry.sha256):
                found = entry
        return found

    def _read(self, paths: list[Path]) -> None:
        known, complaints = [], []
        for path in paths:
            if path.name.startswith("."):
                continue
            try:
                known.append(_read_entry(path))
            except ConfigError as error:
                if os.path.lexists(path):
                    complaints.append(str(error))
        self._known, self.complaints = tuple(known), tuple(complaints)

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} is not a name for a token: use 1 to 64 of A-Z, a-z, 0-9, dot, _ and -, a letter or digit first"
            )
        return self.path / f"{name}{_SUFFIX}"

    def _write(self, path: Path, text: bytes) -> None:
        try:
            make_own_folder(self.path)
            if not is_ours_alone(self.path.stat()):
                raise ConfigError(f"others may use the folder of tokens {self.path}: run `chmod 700 {quote(str(self.path))}`")
            write_private(path, text, new=True)
        except FileExistsError as error:
            raise ConfigError(
                f"there is a token {path.stem} in {self.path}: choose another name, or revoke it first with "
                f"`facestream tokens revoke {path.stem}`"
            ) from error
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}") from error


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.stat(follow_symlinks=False)
    except OSError:
        return None


def _read_entry(path: Path) -> Entry:
    """Only ``NAME.json`` lets somebody in: what an editor or a backup leaves beside it would outlive the token."""
    if path.suffix != _SUFFIX or path.is_symlink() or not path.is_file():
        raise ConfigError(f"{path} is not an entry, which is a file NAME.json: remove it")
    try:
        with path.open("rb") as file:
            entry = msgspec.json.decode(file.read(_LARGEST_BYTES), type=Entry)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except UNREADABLE as error:
        raise ConfigError(
            f"{path} is not a token, or damaged: revoke it and make a new one with `facestream tokens new`"
        ) from error
    if entry.name.lower() == OWNER:
        raise ConfigError(
            f"{path}: whoever uses the link of the terminal is called {OWNER}: revoke it and make one with another name"
        )
    if path.stem != entry.name:
        raise ConfigError(f"{path} is the entry of {entry.name}: rename or remove it")
    if not entry.certificate and not re.fullmatch(r"[0-9a-f]{64}", entry.sha256):
        raise ConfigError(f"{path} is damaged: it does not hold a SHA-256; revoke it and make a new one")
    return entry
