"""What messages are called at the broker: their subjects, and the ids by which it knows a message that it has already."""

from __future__ import annotations

import re
from itertools import zip_longest
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
    """Return what stands for a site in subjects, if it may.

    Raises:
        ConfigError: it has other characters than ``A-Z a-z 0-9 _ - .``, or an empty level.
    """
    if not _PREFIX.fullmatch(prefix):
        raise ConfigError(f"the prefix {prefix!r} is not usable in a subject: use A-Z a-z 0-9 _ - and dots between them")
    return prefix


def token(name: str) -> str:
    """Return any text as one level of a subject; ``urllib.parse.unquote`` gives it back.

    Percent-encoded, with the dot too: dots divide levels, and white space, ``*`` and ``>`` mean something to the broker.
    """
    return quote(name, safe="").replace(".", "%2E")


def subject_of(prefix: str, key: Key, *, is_gap: bool) -> str:
    """Return where a message goes: ``facestream.<prefix>.v1.<kind>.<stream>``, a gap ``….v1.gap.<kind>.<stream>``.

    The track is no level of it: a broker keeps something for each subject that it has ever seen.
    """
    levels = ["facestream", prefix, "v1", *(["gap"] if is_gap else []), token(key.kind)]
    return ".".join([*levels, token(key.stream)] if key.stream else levels)


def all_subjects_of(prefix: str) -> str:
    """Return what stands for all subjects of a site."""
    return f"facestream.{prefix}.v1.>"


def covers(pattern: str, asked: str) -> bool:
    """Whether a broker that takes ``pattern`` takes all that ``asked`` stands for; both may have ``*`` and a last ``>``."""
    for given, level in zip_longest(pattern.split("."), asked.split(".")):
        if given == ">":
            return level is not None
        if given != level and not (given == "*" and level not in (None, ">")):
            return False
    return True


def stream_name_of(prefix: str) -> str:
    """Return the name of the broker's stream that is made for a site."""
    return f"facestream-{prefix.replace('.', '-')}"


def message_id(key: Key, *, is_gap: bool) -> str:
    """Return ``run/stream/kind/seq``, the same from whichever bridge; of a gap ``run/stream/kind/gap/first-last``."""
    series = f"{token(key.run_id)}/{token(key.stream)}/{token(key.kind)}"
    return f"{series}/gap/{key.first_seq}-{key.last_seq}" if is_gap else f"{series}/{key.first_seq}"
