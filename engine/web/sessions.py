"""Who is logged in with a browser: in memory alone, so that a restart ends every session."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.control.verbs import Role
from engine.web.crowd import crowding
from engine.web.tokens import Entry, hashed

_IDLE_SECONDS, _LONGEST_SECONDS = 12 * 3600.0, 7 * 86_400.0
_MOST = 200
"""Sessions; of whoever has the most, the one that was used the longest ago gives way."""
LINK_SECONDS = 15 * 60.0
"""So long the link that stands on the terminal counts."""


@dataclass
class Session:
    """One login."""

    name: str
    roles: tuple[Role, ...]
    token_sha256: str
    """Of the token that it was begun with; empty: with the link of the terminal."""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    """What every request that changes something has to repeat: another site's page cannot read it."""
    begun: float = 0.0
    used: float = 0.0


class Sessions:
    """All logins. The keys are hashes: what is in memory, as in a core dump, lets nobody in."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._by_hash: OrderedDict[str, Session] = OrderedDict()

    def begin(self, name: str, roles: tuple[Role, ...], token_sha256: str) -> tuple[str, Session]:
        """Return the value of a new cookie, which is never one that was sent here, and the session."""
        secret, now = secrets.token_urlsafe(32), self._now()
        session = Session(name, roles, token_sha256, begun=now, used=now)
        if len(self._by_hash) >= _MOST:
            crowd = crowding((one.name for one in self._by_hash.values()), beside=name) or name
            oldest = next((key for key, one in self._by_hash.items() if one.name == crowd), next(iter(self._by_hash)))
            del self._by_hash[oldest]
        self._by_hash[hashed(secret)] = session
        return secret, session

    def find(self, secret: str, entries: tuple[Entry, ...]) -> Session | None:
        """Return the session of a cookie, None where it is over: too old, or its token was revoked or has other roles."""
        key, now = hashed(secret), self._now()
        session = self._by_hash.get(key)
        if session is None:
            return None
        if now - session.used > _IDLE_SECONDS or now - session.begun > _LONGEST_SECONDS or not _stands(session, entries):
            del self._by_hash[key]
            return None
        session.used = now
        self._by_hash.move_to_end(key)
        return session

    def end(self, secret: str) -> None:
        """Log out."""
        self._by_hash.pop(hashed(secret), None)


def _stands(session: Session, entries: tuple[Entry, ...]) -> bool:
    if not session.token_sha256:
        return True
    return any(entry.sha256 == session.token_sha256 and entry.roles == session.roles for entry in entries)


class LoginLink:
    """The way in where there are no tokens yet: a secret on the terminal that opens one session, once, and soon."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._hash = ""
        self._made = 0.0

    def make(self) -> str:
        """Return a new secret; the one before counts no longer."""
        secret = secrets.token_urlsafe(32)
        self._hash, self._made = hashed(secret), self._now()
        return secret

    def fits(self, secret: str) -> bool:
        """Return whether this is the secret, and still counts."""
        if self._now() - self._made > LINK_SECONDS:
            self._hash = ""  # logs are kept, and read by others
        return bool(self._hash) and hmac.compare_digest(hashed(secret), self._hash)

    def spend(self) -> None:
        """Make it worthless."""
        self._hash = ""
