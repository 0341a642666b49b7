"""A link into the console for whoever may write the service's directory, who could make a token as well.

Beside the tokens lie ``.console.json``, where the service says its address while it runs, and ``.link.json``, the SHA-256 of
the newest link that was asked for: it opens one session, once, and soon.
"""

from __future__ import annotations

import hmac
import secrets
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError
from engine.private_file import is_ours_alone, make_own_folder
from engine.web.sessions import LINK_SECONDS
from engine.web.tokens import hashed
from engine.whole_file import read_no_link, write_private


class _Console(msgspec.Struct, frozen=True):
    url: str


class _Link(msgspec.Struct, frozen=True):
    sha256: str
    made_ns: int


class AskedLink:
    """Of one service.

    Args:
        tokens: its folder of tokens; it need not exist before something is written.
    """

    def __init__(self, tokens: Path) -> None:
        self._folder, self._console, self._link = tokens, tokens / ".console.json", tokens / ".link.json"

    def opened(self, url: str) -> None:
        """Say where the console is.

        Raises:
            OSError: it cannot be written.
        """
        self._write(self._console, _Console(url))

    def closed(self) -> None:
        """Say that there is none any more; what was asked for counts no longer."""
        for path in (self._console, self._link):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def make(self) -> str:
        """Return a new link; the one before counts no longer.

        Raises:
            ConfigError: no console is open, or the folder cannot be written.
        """
        try:
            url = msgspec.json.decode(read_no_link(self._console), type=_Console).url
            secret = secrets.token_urlsafe(32)
            self._write(self._link, _Link(hashed(secret), time.time_ns()))
        except FileNotFoundError as error:
            raise ConfigError(
                f"no service with a console runs in {self._folder.parent}: start it with `facestream serve`, or name its "
                "serve.directory with --directory"
            ) from error
        except OSError as error:
            raise ConfigError(f"cannot write {self._link}: {error.strerror}") from error
        except UNREADABLE as error:
            raise ConfigError(f"{self._console} is not as a service writes it: restart the service") from error
        return f"{url}login/{secret}"

    def fits(self, secret: str) -> bool:
        """Return whether this is the secret of the newest link, and still counts."""
        try:
            if not is_ours_alone(self._folder.stat()):
                return False
            link = msgspec.json.decode(read_no_link(self._link), type=_Link)
        except (OSError, *UNREADABLE):
            return False
        is_new = abs(time.time_ns() - link.made_ns) <= LINK_SECONDS * 1e9
        return hmac.compare_digest(hashed(secret), link.sha256) and is_new

    def spend(self) -> None:
        """Make it worthless.

        Raises:
            OSError: it cannot be removed, and so would count again.
        """
        self._link.unlink(missing_ok=True)

    def _write(self, path: Path, content: _Console | _Link) -> None:
        make_own_folder(self._folder)
        write_private(path, msgspec.json.encode(content))
