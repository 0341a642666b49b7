"""What a subscriber may be asked for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Literal, get_args

from engine.contracts.messages import check_stream_name
from engine.contracts.replay import Kind
from engine.errors import ConfigError
from engine.keys.files import ClientKey

_GONE_SECONDS = 30.0
"""A publisher that died is there again before that, if anybody starts it again."""
_MOST_SECONDS = 86_400
_KINDS: tuple[Kind, ...] = get_args(Kind)


def kinds_asked(kinds: Iterable[str]) -> frozenset[str]:
    """Return the kinds of messages that are asked for.

    Raises:
        ConfigError: there is no such kind, or none is asked for.
    """
    chosen = _several("kinds", kinds, "face")
    if unknown := chosen.difference(_KINDS):
        raise ConfigError(f"unknown kind {', '.join(sorted(unknown))}: use some of {', '.join(_KINDS)}")
    return chosen


def streams_asked(streams: Iterable[str] | None) -> frozenset[str] | None:
    """Return the names of the streams that are asked for; None: all of them.

    Raises:
        ConfigError: none can have such a name, or none is asked for.
    """
    return None if streams is None else frozenset(map(check_stream_name, _several("streams", streams, "door")))


def check_asked(socket: str, timeout_seconds: float | None, replay_timeout_seconds: float) -> None:
    """Refuse what type checkers would.

    Raises:
        ConfigError: it is no kind of socket that reads, or no time.
    """
    if socket not in ("sub", "pull"):
        raise ConfigError(f'socket is {socket!r}: use "sub" to read from a pub endpoint, "pull" to read from a push one')
    if timeout_seconds is not None and not 0 <= timeout_seconds < math.inf:
        raise ConfigError(f"timeout_seconds is {timeout_seconds}: use a number of seconds from 0 on, or None to wait for ever")
    if not 0 < replay_timeout_seconds <= _MOST_SECONDS:
        raise ConfigError(
            f"replay_timeout_seconds is {replay_timeout_seconds}: use a number above 0, {_MOST_SECONDS:,} at most"
        )


def gone_limit(
    seconds: float | Literal["auto"] | None, *, follow: bool, kinds: Collection[str], key: ClientKey | None
) -> float | None:
    """Return for how long a publisher that was there may be away; None: for ever.

    Args:
        seconds: ``auto``: 30, or for ever for a reader that does not end with the run either.
        follow: he goes on after ``end``.
        kinds: that he receives.
        key: his.

    Raises:
        ConfigError: it is no time.
    """
    if seconds == "auto":
        ends = not follow and "end" in kinds and (key is None or key.is_for("", "end"))
        return _GONE_SECONDS if ends else None
    if seconds is not None and not 0 < seconds <= _MOST_SECONDS:
        raise ConfigError(
            f"gone_seconds is {seconds}: use a number of seconds above 0, {_MOST_SECONDS:,} at most, or None to wait for ever"
        )
    return seconds


def _several(name: str, given: Iterable[str], example: str) -> frozenset[str]:
    if isinstance(given, str):  # its letters would be names
        raise ConfigError(f'{name} is the text {given!r}: use a list, as ["{given or example}"]')
    chosen = frozenset(given)
    if not chosen:
        raise ConfigError(f"{name} is empty, so nothing would come: name some, or leave it out")
    return chosen
