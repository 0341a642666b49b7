"""Sentences about an archive job."""

from __future__ import annotations

from collections.abc import Iterator

from engine.jobs.standing import Standing
from engine.words.numbers import count

_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def long_time(seconds: float) -> str:
    """Return a duration as somebody would say it: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 d 5 h``."""
    whole = round(seconds)
    for unit, name, lesser, lesser_name in _UNITS:
        if whole >= unit:
            rest = 0 if unit == 60 and whole >= 600 else whole % unit // lesser
            return f"{whole // unit} {name}" + (f" {rest} {lesser_name}" if rest else "")
    return f"{whole} s"


def video_hours(seconds: float) -> str:
    """Return how much video that is: ``1,240 h``, ``3.2 h``, ``14 min``, ``40 s``."""
    hours = seconds / 3600
    if hours >= 1:
        return f"{hours:,.0f} h" if hours >= 100 else f"{hours:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 600 else long_time(seconds)


def one_line(standing: Standing) -> str:
    """Return how a job stands, in one line."""
    over = standing.recordings_done + standing.recordings_failed + standing.recordings_set_aside
    words = [f"{over:,} of {count(standing.recordings, 'recording')}"]
    words.append(f"{video_hours(standing.video_seconds_done)} of {video_hours(standing.video_seconds)} of video")
    if standing.recordings_failed:
        words.append(f"{standing.recordings_failed:,} failed")
    if standing.recordings_set_aside:
        words.append(f"{standing.recordings_set_aside:,} set aside")
    if standing.phase in ("working", "finishing"):
        words += _going_on(standing)
    elif standing.phase == "joining":
        words.append("joining them")
    return ", ".join(words)


def _going_on(standing: Standing) -> Iterator[str]:
    if standing.times_real_time is not None:
        yield f"{standing.times_real_time:.3g} times real time"
    yield count(standing.workers, "worker")
    if standing.phase == "finishing":
        yield f"finishing {count(standing.tasks_running, 'task')}"
    elif standing.seconds_left is not None:
        yield f"about {long_time(standing.seconds_left)} left"


def summary(standing: Standing) -> str:
    """Return what a job that is over has come to."""
    line = one_line(standing)
    return f"{line}; this took {long_time(standing.seconds)}"
