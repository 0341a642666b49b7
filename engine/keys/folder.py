"""The folder of keys: the engine's own, and one file for each client that may read."""

from __future__ import annotations

import datetime
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from shlex import quote

import zmq
from platformdirs import user_config_path

from engine.errors import ConfigError
from engine.keys.curve import require_curve
from engine.keys.files import Client, ClientKey, ControlRole, ServerKey, read_key, remove_entry, write_key
from engine.keys.topics import check_rights
from engine.private_file import is_ours_alone, version_of

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SERVER, _CLIENTS, _SUFFIX = "server.json", "clients", ".json"


def default_folder() -> Path:
    """Return the user's own folder of keys, as ``~/.config/facestream/keys``."""
    return user_config_path("facestream", appauthor=False) / "keys"


class KeyFolder:
    """One folder of keys; nothing is kept in memory, so that several processes may use it at once.

    Args:
        path: the folder; it need not exist before ``add``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser()

    def add(self, name: str, topics: Iterable[str] = (), control: Iterable[ControlRole] = ()) -> ClientKey:
        """Make a client's key, and the folder and the engine's key where there are none; return what the client is given.

        The client's secret is nowhere else.

        Args:
            name: of the client, a word that can be a file's name.
            topics: prefixes that it may read; none: everything.
            control: what it may ask of a service.

        Raises:
            ConfigError: the name or a topic cannot be used, the client is there already, or the folder cannot be written.
        """
        require_curve()
        entry, rights, roles = self._entry(name), check_rights(topics), tuple(dict.fromkeys(control))
        self._make()
        server = self._own_server()
        public, secret = (half.decode() for half in zmq.curve_keypair())
        made = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            write_key(entry, Client(name=name, public=public, topics=rights, control=roles, made=made))
        except FileExistsError as error:
            raise ConfigError(
                f"there is a client {name} in {self.path}: choose another name, or `facestream keys revoke {name}` first"
            ) from error
        except OSError as error:
            raise ConfigError(f"cannot write {entry}: {error.strerror}") from error
        return ClientKey(name=name, public=public, secret=secret, server=server.public, topics=rights)

    def revoke(self, name: str) -> None:
        """Take a client out, also one whose file is damaged.

        Raises:
            ConfigError: there is no such client, or the folder cannot be written.
        """
        remove_entry(self._entry(name), f"there is no client {name} in {self.path}: see `facestream keys list`")

    def server(self) -> ServerKey:
        """Return the engine's key.

        Raises:
            ConfigError: there is none, it is damaged, or others may look into the folder.
        """
        require_curve()
        self._check_owner()
        if not (self.path / _SERVER).exists():
            raise ConfigError(f"there are no keys in {self.path}: {self._how_to_begin()}")
        return read_key(self.path / _SERVER, ServerKey)

    def clients(self) -> list[Client]:
        """Return who may read, by name.

        Raises:
            ConfigError: the folder cannot be read, or a file in it is damaged or was not made here.
        """
        clients, complaints = self.readable_clients()
        if complaints:
            raise ConfigError(complaints[0])
        return clients

    def readable_clients(self) -> tuple[list[Client], list[str]]:
        """Return who may read, and a sentence on each file that cannot be used, which lets nobody in.

        Only ``NAME.json`` is an entry: what an editor or a backup leaves beside it would outlive the client.

        Raises:
            ConfigError: the folder cannot be read.
        """
        clients, complaints = [], []
        for path in self._entries():
            try:
                if path.suffix != _SUFFIX or not os.path.isfile(path):
                    raise ConfigError(f"{path} is not an entry, which is a file NAME.json: remove it")
                client = read_key(path, Client)
                if path.stem != client.name:
                    raise ConfigError(f"{path} is the entry of {client.name}: rename or remove it")
                clients.append(client)
            except ConfigError as error:
                if os.path.lexists(path):  # else it was revoked while this looked
                    complaints.append(str(error))
        return clients, complaints

    def state(self) -> object:
        """Return a value that differs as soon as a client, or the engine's own key, was added, changed or removed.

        Raises:
            ConfigError: the folder cannot be read, or others may use it by now, and could let themselves in.
        """
        self._check_owner()
        found: list[tuple[object, ...]] = []
        for path in (self.path / _SERVER, *self._entries()):
            try:
                status = path.stat()
            except OSError as error:  # one file that cannot be looked at takes nobody else's rights
                found.append((path.name, error.errno))
            else:
                found.append((path.name, *version_of(status)))
        return tuple(found)

    def _entries(self) -> list[Path]:
        try:
            found = sorted((self.path / _CLIENTS).iterdir())
        except FileNotFoundError as error:
            raise ConfigError(f"there are no keys in {self.path}: {self._how_to_begin()}") from error
        except OSError as error:
            raise ConfigError(f"cannot read {self.path}: {error.strerror}") from error
        return [path for path in found if not path.name.startswith(".")]

    def _entry(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} is not a name for a client: use 1 to 64 of A-Z, a-z, 0-9, dot, _ and -, a letter or digit first"
            )
        return self.path / _CLIENTS / f"{name}{_SUFFIX}"

    def _how_to_begin(self) -> str:
        return f"run `facestream keys new NAME --folder {quote(str(self.path))}`"

    def _make(self) -> None:
        try:
            for folder in (self.path, self.path / _CLIENTS):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot make the folder {self.path}: {error.strerror}") from error
        self._check_owner()

    def _own_server(self) -> ServerKey:
        path = self.path / _SERVER
        if not path.exists():
            public, secret = (half.decode() for half in zmq.curve_keypair())
            try:
                write_key(path, ServerKey(public=public, secret=secret))
            except FileExistsError:
                pass  # another command was faster: its key is the one
            except OSError as error:
                raise ConfigError(f"cannot write {path}: {error.strerror}") from error
        return read_key(path, ServerKey)

    def _check_owner(self) -> None:
        """Refuse a folder in which others could put a key of theirs, or look who has one."""
        for folder in (self.path, self.path / _CLIENTS):
            try:
                status = folder.stat()
            except OSError as error:
                raise ConfigError(f"there are no keys in {self.path} ({error.strerror}): {self._how_to_begin()}") from error
            if not stat.S_ISDIR(status.st_mode):
                raise ConfigError(f"{folder} is not a folder: keys lie in one, see `facestream keys new --help`")
            if not is_ours_alone(status):
                how = f"make it your own with mode 0700 (`chmod 700 {quote(str(folder))}`)"
                raise ConfigError(f"others may use the folder of keys {folder}: {how}")
