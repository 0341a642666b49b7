"""The directory of a service: what lies where, its owner's alone, and one service at a time."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote

from platformdirs import user_state_path

from engine.contracts.tap import Tap
from engine.errors import ConfigError, PublishError
from engine.lock import DirectoryLock
from engine.private_file import is_ours_alone
from engine.runtime.closing import Closing

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def _default_directory() -> Path:
    """Return the user's own, as ``~/.local/state/facestream``."""
    return user_state_path("facestream", appauthor=False)


def directory_of(configured: str) -> Path:
    """Return the directory that ``serve.directory`` means."""
    return Path(configured).expanduser().absolute() if configured else _default_directory()


def control_endpoint(directory: Path) -> str:
    """Return where the service of a directory is asked by this machine's own user."""
    return f"ipc://{directory}/control.sock"


def web_endpoint(directory: Path) -> str:
    """Return where the web process of a directory's service asks."""
    return f"ipc://{directory}/web.sock"


class ServiceDirectory(Closing):
    """Held from construction to ``close``, or to the end of the process.

    Args:
        path: made where it does not exist.

    Raises:
        ConfigError: it cannot be made, or others may use it.
        PublishError: another service has it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not is_ours_alone(path.stat()):
                raise ConfigError(
                    f"others may use the directory {path} (serve.directory), in which credentials lie: run "
                    f"`chmod 700 {quote(str(path))}`, or choose another"
                )
            for folder in (self.credentials, self.runs):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._lock = DirectoryLock(path)
        except PublishError as error:
            raise PublishError(f"another service runs in {path}: stop it first, or choose another serve.directory") from error
        except OSError as error:
            raise ConfigError(f"cannot make the directory {path} (serve.directory): {error.strerror}") from error

    @property
    def desired(self) -> Path:
        return self.path / "desired.json"

    @property
    def credentials(self) -> Path:
        return self.path / "credentials"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def fleet(self) -> Path:
        """What a node of a fleet keeps."""
        return self.path / "fleet"

    @property
    def audit(self) -> Path:
        return self.path / "audit.jsonl"

    @property
    def control(self) -> str:
        """Where this machine's own user asks."""
        return control_endpoint(self.path)

    @property
    def web(self) -> str:
        """Where the web process asks, which is believed who stands behind it."""
        return web_endpoint(self.path)

    @property
    def tap(self) -> Tap:
        """Where the web process reads what is published, and pictures of what is looked at."""
        return Tap.in_folder(self.path)

    def credentials_file(self, name: str) -> Path:
        """Return the file of a name.

        Raises:
            ConfigError: it is not a name of a file in the folder.
        """
        if not _FILE_NAME.fullmatch(name):
            raise ConfigError(f"{name!r} is not a name of a file in {self.credentials}: use letters, digits, dot, _ and - only")
        return self.credentials / name

    def close(self) -> None:
        for endpoint in (self.control, self.web):  # whoever finds none knows at once that nobody answers
            Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
        self._lock.close()
