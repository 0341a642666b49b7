"""Message ids, the same at every broker, by which a message that is already there is recognised."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from engine.errors import ConfigError

_PREFIX = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


class Key(NamedTuple):
    """Messages of one series, whose numbers follow each other; mostly one message alone."""

    run_id: str
    stream: str
    """Empty for ``stats`` and ``end``."""
    kind: str
    first_seq: int
    last_seq: int


def check_prefix(prefix: str) -> str:
    """Return what stands for a site in subjects and topics, if it may.

    Raises:
        ConfigError: it has other characters than ``A-Z a-z 0-9 _ - .``, or an empty level.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"the prefix {prefix!r} is not usable in a subject: use A-Z a-z 0-9 _ - and dots between them")
    return prefix


def token(name: str) -> str:
    """Return any text as one level of a name; ``urllib.parse.unquote`` gives it back.

    Percent-encoded, with the dot too: dots divide levels, and white space, ``*`` and ``>`` mean something to the broker.
    """
    return quote(name, safe="").replace(".", "%2E")


def message_id(key: Key, *, is_gap: bool) -> str:
    """Return ``run/stream/kind/seq``, the same from whichever bridge; of a gap ``run/stream/kind/gap/first-last``."""
    series = f"{token(key.run_id)}/{token(key.stream)}/{token(key.kind)}"
    return f"{series}/gap/{key.first_seq}-{key.last_seq}" if is_gap else f"{series}/{key.first_seq}"
