"""The topics that a client may read: whole levels of ``v1/<kind>/<stream>/``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.errors import ConfigError

EVERYTHING = "v1/"
_RIGHT = re.compile(r"v1/(?:(?:face|track|stream)/(?:[^/\s]+/)?|stats/|end/)?")


def check_rights(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Return topic prefixes without doubles, in order; none given: everything.

    Raises:
        ConfigError: one is not a whole level of a topic; a name cut short would be that of other streams too.
    """
    rights = tuple(dict.fromkeys(prefixes)) or (EVERYTHING,)
    for right in rights:
        if not _RIGHT.fullmatch(right):
            raise ConfigError(
                f"{right!r} is not a topic that may be given: use v1/, v1/KIND/ or v1/KIND/STREAM/ with face, track or "
                "stream as KIND, v1/stats/ or v1/end/, each with its last /"
            )
    return rights


def granted(asked: bytes, rights: Iterable[str]) -> set[bytes]:
    """Return the prefixes of topics that somebody gets who subscribes to ``asked``: what lies in it and in the rights."""
    found = set()
    for right in rights:
        prefix = right.encode()
        if asked.startswith(prefix):
            found.add(asked)
        elif prefix.startswith(asked):
            found.add(prefix)
    return found


def may_read(topic: str, rights: Iterable[str]) -> bool:
    """Return whether all messages below a prefix of topics may be read."""
    return any(topic.startswith(right) for right in rights)
