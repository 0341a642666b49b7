"""Where messages go on a NATS server: subjects, and the stream that stores them."""

from __future__ import annotations

from itertools import zip_longest

from engine.bridge.names import Key, token


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
