"""What a node remembers of the fleet on its own disk: for a start while the database is away."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec
import zmq

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError
from engine.fleet.file import FleetCamera
from engine.fleet.view import About
from engine.whole_file import write_private


class Remembered(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of it."""

    database: str = ""
    """For which database, and which node, this holds."""
    node: str = ""
    lease_seconds: float = 6.0
    version: int = 0
    """Of ``nodes``."""
    nodes: dict[str, About] = {}
    cameras: tuple[FleetCamera, ...] = ()
    """That this node has taken."""
    port: int = 0
    """On which it was asked last."""


class FleetFolder:
    """The folder ``fleet`` of a service's directory, its owner's alone.

    Args:
        path: made where it does not exist.

    Raises:
        ConfigError: it cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            self.secret_key = self._key()
        except OSError as error:
            raise ConfigError(f"cannot use the folder {path} of serve.directory: {error.strerror}") from error
        self._written: Remembered | None = None

    @property
    def permit(self) -> Path:
        """See ``engine.fleet.permit``."""
        return self.path / "permit"

    def read(self, database: str, node: str) -> Remembered:
        """Return what is remembered; nothing where it is of another database or node, or cannot be read."""
        with suppress(OSError, *UNREADABLE):
            found = msgspec.json.decode(self._file.read_bytes(), type=Remembered)
            if (found.database, found.node) == (database, node):
                return found
        return Remembered(database=database, node=node)

    def write(self, remembered: Remembered) -> None:
        """Remember this.

        Raises:
            OSError: it cannot be written.
        """
        if remembered != self._written:
            write_private(self._file, msgspec.json.encode(remembered))
            self._written = remembered

    @property
    def _file(self) -> Path:
        return self.path / "fleet.json"

    def _key(self) -> bytes:
        path = self.path / "key"
        with suppress(FileNotFoundError):
            key = path.read_bytes()
            if len(key) == 40:
                os.chmod(path, 0o600)
                return key
        key = zmq.curve_keypair()[1]
        write_private(path, key)
        return key
