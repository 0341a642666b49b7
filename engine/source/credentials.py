"""User and password of a camera: from its URL or from a file, and how FFmpeg wants them."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from engine.errors import ConfigError
from engine.private_file import warning_of
from engine.words.text import looked_in

MAX_BYTES = 4096
"""A longer file is not one line with a user and a password."""
_ALLOWED = "!$&'()*+,;="
"""What may stand in the user part of a URL as it is (RFC 3986), besides letters, digits and ``-._~``."""
_WANTED = "it must hold one line `user:password`"
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNFILLED = re.compile(r"\$\{[^{}]+\}|\{\{[^{}]+\}\}|\$\([^()]+\)")
"""What shells, Compose, Helm and Ansible would fill in."""


@dataclass(frozen=True)
class Credentials:
    """Who logs in; neither is shown where the object is printed."""

    user: bytes = field(repr=False)
    password: bytes | None = field(repr=False)
    """None: the URL has a user only."""

    @property
    def encoded(self) -> str:
        """As it stands before the ``@`` of a URL."""
        user = quote_from_bytes(self.user, _ALLOWED)
        return user if self.password is None else f"{user}:{quote_from_bytes(self.password, _ALLOWED)}"


def credentials_from_url(user_info: str, shown: str) -> Credentials:
    """Take apart what stands before the ``@``; ``:`` and ``@`` in the password need not be escaped.

    Raises:
        ConfigError: a ``%`` is not followed by two hexadecimal digits, or one of the two is a placeholder; ``shown`` stands for
            the URL in the message.
    """
    if _BROKEN_ESCAPE.search(user_info):
        raise ConfigError(
            f"{shown}: there is a % in the user or password that escapes nothing: write it as %25 "
            "(and @ as %40, : as %3A, / as %2F, ? as %3F, # as %23), or put them into a file named by `credentials`"
        )
    user, colon, password = user_info.partition(":")
    for part in (user, password):
        if _UNFILLED.fullmatch(part):
            raise ConfigError(
                f"{shown}: the user or password is a placeholder such as ${{NAME}}, and nothing fills it in here: put "
                "`user:password` into a file named by `credentials`; if it is meant as it stands, write { as %7B and ( as %28"
            )
    return Credentials(unquote_to_bytes(user), unquote_to_bytes(password) if colon else None)


def read_credentials(path: Path) -> tuple[Credentials, str]:
    """Read a file of one line ``user:password``; all characters stand for themselves, also ``#``, ``%`` and spaces.

    Returns:
        The credentials, and a warning if others may read the file, else "".

    Raises:
        ConfigError: the file is missing, unreadable or not such a line; its contents are never in the message.
    """
    where, wanted = f"the credentials file {path}", _WANTED
    try:
        path = path.expanduser()
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would not be opened before somebody writes to it
            raise ConfigError(f"{where} is not a file: {wanted}")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:
        why = f"{getattr(error, 'strerror', None) or error}{looked_in(path)}"
        raise ConfigError(f"{where} cannot be read ({why}): {wanted}") from error
    return credentials_in(content, where), warning_of(path, status, "the credentials file")


def credentials_in(content: bytes, where: str) -> Credentials:
    """Return what such a file holds.

    Raises:
        ConfigError: it is no such line; ``where`` stands for the file in the message.
    """
    wanted = _WANTED
    lines = content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").splitlines()
    if not any(line.strip() for line in lines):
        raise ConfigError(f"{where} is empty: {wanted}")
    if len(lines) > 1 or len(content) > MAX_BYTES:
        raise ConfigError(f"{where} holds more than one line: {wanted} and nothing else")
    user, colon, password = lines[0].partition(b":")
    if not colon:
        raise ConfigError(f"{where} has no colon between user and password: {wanted}")
    if not user:
        raise ConfigError(f"{where} names no user before the colon: {wanted}")
    if re.search(rb"[\x00-\x1f\x7f]", lines[0]):
        raise ConfigError(f"{where} holds control characters: {wanted} as plain text")
    return Credentials(user, password)
