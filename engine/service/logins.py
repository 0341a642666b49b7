"""Users and passwords of cameras that others give: a file each, and to whom each may be sent.

Who may change a camera may not read its password, so none is sent to a host that it was not given for. A file that was made
here belongs to the hosts and ports of the streams that name it. One that an administrator put into the folder belongs to those
that lie beside it, see ``engine.source.password_hosts``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

from engine.config import SourceConfig
from engine.errors import ConfigError, PublishError
from engine.service.desired import Desired
from engine.service.directory import ServiceDirectory
from engine.service.given_checks import addresses_of
from engine.service.refusal import Refusal
from engine.source.camera_url import CameraUrl
from engine.source.credentials import Credentials, credentials_in, read_credentials
from engine.source.password_hosts import hosts_file_of, hosts_in, is_given_for, place_of
from engine.whole_file import write_private

SHOWN = "given"
"""Stands in replies for the name of a file that was made here: nobody needs it."""
_OURS = "given-"
"""How the names of files begin that were made for a camera."""


class Logins:
    """Keeps them.

    Args:
        directory: where they lie.
    """

    def __init__(self, directory: ServiceDirectory) -> None:
        self._directory = directory

    def path(self, name: str) -> Path:
        """Return the file of a name, checked.

        Raises:
            ConfigError: it is no such file, or others may read it.
        """
        path = self._directory.credentials_file(name)
        _, warning = read_credentials(path)
        if warning:
            raise ConfigError(warning)
        return path

    def hosts_file(self, name: str) -> Path | None:
        """Return the file that says to which hosts a file of an administrator may be sent; None of one that was made here.

        Raises:
            ConfigError: it is no such file.
        """
        return None if name.startswith(_OURS) else hosts_file_of(self._directory.credentials_file(name))

    def check(self, source: SourceConfig, desired: Desired) -> None:
        """Check that the file that a source names may be sent to its hosts.

        Raises:
            Refusal: it was not given for one of them.
        """
        name = source.credentials
        if not name:
            return
        beside = self.hosts_file(name)
        if beside is not None:
            allowed = hosts_in(beside)
        else:
            same = (held.source for held in desired.streams.values() if held.source.credentials == name)
            allowed = {place_of(url) for one in same for url in addresses_of(one).values()}
        for key, url in addresses_of(source).items():
            if not is_given_for(url, allowed):
                words = (
                    f"its user and password were not given for {place_of(url)}: give them anew, before the host of each address"
                )
                how = "" if beside is None else f", or write this host into {beside.name} beside the file"
                raise Refusal("refused", words + how, f"source.{key}")

    def holds(self, name: str, login: bytes) -> bool:
        """Whether a file that was made here holds just this user and password."""
        if not login or not name.startswith(_OURS):
            return False
        with suppress(OSError, ConfigError):
            return self._directory.credentials_file(name).read_bytes() == login + b"\n"
        return False

    def keep(self, stream: str, login: bytes) -> str:
        """Write a file for a stream; return its name.

        Raises:
            ConfigError: no file can be called so.
            PublishError: it cannot be written.
        """
        path = self._directory.credentials_file(f"{_OURS}{stream[:64]}-{secrets.token_hex(4)}")
        try:
            write_private(path, login + b"\n")
        except OSError as error:
            raise PublishError(
                f"cannot keep the credentials in {path.parent}: {error.strerror}; nothing was changed"
            ) from error
        return path.name

    def clean(self, is_named: Callable[[str], bool]) -> None:
        """Remove the files that were made here and that nothing names any more; one that cannot be removed waits."""
        with suppress(OSError):
            for path in self._directory.credentials.glob(f"{_OURS}*"):
                if not is_named(path.name):
                    path.unlink(missing_ok=True)


def login_of(urls: Iterable[CameraUrl]) -> bytes:
    """Return the user and password that addresses hold, as a line of a file; empty: none.

    Raises:
        ConfigError: they have different ones, one host has none and would be sent those of another, or no file can hold them.
    """
    urls = list(urls)
    logins = {_login(url) for url in urls if url.user_info}
    if len(logins) > 1:
        raise ConfigError("the addresses have different users or passwords: give the same, or a file as `credentials`")
    with_login = {place_of(url) for url in urls if url.user_info}
    without = {place_of(url) for url in urls} - with_login
    if with_login and without:
        raise ConfigError(f"user and password are given, but not for {', '.join(sorted(without))}: give them in each address")
    return next(iter(logins), b"")


def shown_name(name: str) -> str:
    """Return what is shown of the file that a source names."""
    return SHOWN if name.startswith(_OURS) else Path(name).name


def _login(url: CameraUrl) -> bytes:
    """Return user and password of an address as a line of a file.

    Raises:
        ConfigError: they would not be the same when they are read from there.
    """
    taken = unquote_to_bytes if url.scheme.decodes_users else str.encode
    user, password = (taken(part) for part in url.user_info.partition(":")[::2])
    line = user + b":" + password
    with suppress(ConfigError):
        if credentials_in(line + b"\n", "") == Credentials(user, password):
            return line
    raise ConfigError(
        f"{url.shown}: its user and password cannot be kept: there must be a user, which holds no colon, and no control "
        "characters; give others, or name the camera in the configuration file"
    )
