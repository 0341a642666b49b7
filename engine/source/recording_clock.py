"""When a recording begins, as its user or its file's name says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from engine.config import SourceConfig
from engine.contracts.messages import Clock
from engine.errors import ConfigError
from engine.words.times import without_zone, zoned

_NAME = "name:"
_DIRECTIVES = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}", "I": r"\d{1,2}", "M": r"\d{1,2}",
    "S": r"\d{1,2}", "f": r"\d{1,6}", "j": r"\d{1,3}", "p": r"(?:AM|PM|am|pm)", "b": r"[^\W\d]{3,}", "B": r"[^\W\d]{3,}",
    "z": r"(?:[+-]\d{2}:?\d{2}|Z)", "%": "%",
}  # fmt: skip
"""What may stand behind a % in a pattern, and the text that it stands for."""
_FIXED = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3}
"""Digits of a number that the next number follows without a mark between them."""
_YEARS = range(1900, 2200)
"""What is believed; messages count nanoseconds in 64 bits, which end in 2262."""
_EXAMPLE = "name:cam_%Y%m%d_%H%M%S"


def check_clock(source: SourceConfig) -> None:
    """Check the keys of a source that tell its clock.

    Raises:
        ConfigError: ``start_time`` is not a time, or ``clock_from`` is not a way to find one.
    """
    if source.start_time:
        _parse_time(source.start_time)
    if source.start_time and source.clock_from:
        raise ConfigError(f"{source.uri}: `start_time` and `clock_from` both say when it begins: leave one out")
    if source.clock_from.startswith(_NAME):
        pattern_of(source.clock_from)
    elif source.clock_from not in ("", "creation_time", "none"):
        raise ConfigError(
            f"clock_from: {source.clock_from!r} is not known: give creation_time, none, or name: and a pattern, as {_EXAMPLE}"
        )


def beginning_of(source: SourceConfig, path: Path, warn: Callable[[str], None]) -> tuple[int | None, Clock]:
    """Return when a recording begins (Unix, nanoseconds) and by what that is known; None where neither tells.

    Times without an offset are of this machine's time zone.

    Args:
        source: that has passed ``check_clock``.
        path: the recording.
        warn: called with a sentence where the file's name does not fit the pattern, or the time comes twice in this machine's
            time zone or not at all, because the clocks are changed.
    """
    if source.start_time:
        return _nanoseconds(_parse_time(source.start_time), path, warn), "start_time"
    if not source.clock_from.startswith(_NAME):
        return None, ""
    text = source.clock_from.removeprefix(_NAME)
    for found in pattern_of(source.clock_from).finditer(path.name):
        try:
            when = _believable(datetime.strptime(found[1], text))
        except ValueError:
            continue
        return _nanoseconds(when, path, warn), "file_name"
    warn(f"{path} has no time of the form {text} in its name: when it was recorded is not known")
    return None, ""


def pattern_of(clock_from: str) -> re.Pattern[str]:
    """Return what finds a time in a file's name.

    Args:
        clock_from: ``name:`` and a pattern of ``strptime``.

    Raises:
        ConfigError: the pattern names no date, or holds what is not known.
    """
    text = clock_from.removeprefix(_NAME)
    expression, names = "", set()
    parts = re.findall(r"%(.?)|([^%]+)", text, re.DOTALL)
    for index, (directive, literal) in enumerate(parts):
        if literal:
            expression += re.escape(literal)
            continue
        if directive not in _DIRECTIVES:
            known = " ".join(f"%{name}" for name in _DIRECTIVES)
            raise ConfigError(f"clock_from: {clock_from!r} holds %{directive}, which is not one of {known}")
        followed = index + 1 < len(parts) and not parts[index + 1][1]
        expression += rf"\d{{{_FIXED[directive]}}}" if followed and directive in _FIXED else _DIRECTIVES[directive]
        names.add(directive)
    if not (names & {"Y", "y"} and ((names & {"d"} and names & {"m", "b", "B"}) or "j" in names)):
        raise ConfigError(f"clock_from: {clock_from!r} names no whole date: give year, month and day, as {_EXAMPLE}")
    return re.compile(f"(?=({expression}))")  # also where one match overlaps another


def _parse_time(text: str) -> datetime:
    try:
        return _believable(datetime.fromisoformat(text.strip()))
    except ValueError as error:
        raise ConfigError(
            f"start_time: {text!r} is not a time from 1900 to 2199: give one such as 2026-03-01T14:05:00+01:00; without an "
            "offset it is of this machine's time zone"
        ) from error


def _believable(when: datetime) -> datetime:
    """Return a time.

    Raises:
        ValueError: no camera recorded then.
    """
    if when.year not in _YEARS:
        raise ValueError(f"the year {when.year}")
    return when


def _nanoseconds(when: datetime, path: Path, warn: Callable[[str], None]) -> int:
    here = when.astimezone()
    if when.tzinfo is None and here.utcoffset() != when.replace(fold=1).astimezone().utcoffset():
        is_twice = here.replace(tzinfo=None) == when
        happens = "comes twice, as clocks go back" if is_twice else "does not come, as clocks go forward"
        advice = "if that is wrong, give `start_time` with its offset"
        warn(f"{path}: {without_zone(when)} {happens}; it is taken for {zoned(here)}: {advice}")
    return round(here.timestamp() * 1e6) * 1000
