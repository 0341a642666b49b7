"""Sentences about the state of a run, for the terminal and the log."""

from __future__ import annotations

from collections.abc import Mapping

from engine.contracts.counts import Counts
from engine.perception.overload import LEVELS
from engine.pipeline.events import RunEvent
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.words.numbers import count, megabytes
from engine.words.redaction import redact

_NEWS_SECONDS = 10.0
"""So long a discontinuity is shown beside ``live``."""


def printable(text: str) -> str:
    """Return a text that may come from a camera without credentials, and without characters that steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in redact(text))


def how_long(seconds: float) -> str:
    """Return a time span in at most six characters, as ``8s``, ``12m05s``, ``3h05m`` or ``12d07h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02}h"


def overload_words(level: int) -> str:
    """Return what gives way at a level of overload, empty at none."""
    thinning, detect_step = LEVELS[min(max(level, 0), len(LEVELS) - 1)]
    return ", ".join(["enhancing fewer faces"] * (thinning > 1) + ["detecting less often"] * (detect_step > 1))


def state_words(stream: StreamStatus) -> str:
    """Return a stream's state with the reason."""
    reason = "" if stream.standing == "live" and stream.seconds_in_state > _NEWS_SECONDS else stream.reason
    return " ".join(filter(None, (stream.standing, reason.replace("_", " "))))


def drops_of(counts: Counts) -> dict[str, int]:
    """Return what was dropped, by cause, the most frequent first."""
    drops = [(cause, total) for cause, total in counts.drops.items() if total]
    return dict(sorted(drops, key=lambda drop: (-drop[1], drop[0])))


def drops_words(counts: Counts) -> str:
    """Return the drops by cause in one line, as ``15 drops: 12 stale, 3 no slot``."""
    drops = drops_of(counts)
    causes = ", ".join(f"{total} {cause.replace('_', ' ')}" for cause, total in drops.items())
    return count(sum(drops.values()), "drop") + (f": {causes}" if causes else "")


def errors_of(counts: Counts) -> dict[str, int]:
    """Return how many calls of models failed, and readings of the gallery, by stage."""
    return {stage: total for stage, total in sorted(counts.errors.items()) if total}


def errors_words(counts: Counts) -> str:
    """Return the errors by stage in one line, as ``3 errors: 2 detect, 1 gallery``; empty where there are none."""
    errors = errors_of(counts)
    stages = ", ".join(f"{n} {stage.replace('_', ' ')}" for stage, n in errors.items())
    return f"{count(sum(errors.values()), 'error')}: {stages}" if errors else ""


def removed_words(counters: Mapping[str, int]) -> str:
    """Return what retention has deleted, empty where it was nothing."""
    pictures, tracks = counters.get("removed.pictures", 0), counters.get("removed.tracks", 0)
    if not pictures:
        return ""
    freed = megabytes(counters.get("removed.bytes", 0))
    return f"{count(pictures, 'picture')} of {count(tracks, 'track')} deleted ({freed}), as output.keep_* asks"


def frames_per_second(status: RunStatus) -> float:
    """Return how many frames all streams together give now."""
    return sum(stream.fps for stream in status.streams.values())


def summary_words(status: RunStatus, rate: float) -> list[str]:
    """Return where the run as a whole stands, in a few pieces, but for overload.

    Args:
        status: of the run.
        rate: frames a second.
    """
    counts = status.totals
    drops, errors = drops_of(counts), errors_of(counts)
    words = [
        f"{rate:.1f} frames/s",
        count(counts.run.get("faces", 0), "face"),
        count(sum(drops.values()), "drop"),
        count(sum(errors.values()), "error") if errors else "",
        count(status.restarts, "restart") if status.restarts else "",
        f"up {how_long(status.seconds)}",
    ]
    return [word for word in words if word]


def event_words(event: RunEvent) -> str:
    """Return an event as a sentence for a person."""
    fields = event.fields
    match event.name:
        case "stream":
            reason = f" ({str(fields['reason']).replace('_', ' ')})" if "reason" in fields else ""
            size = f" {fields['width_px']}x{fields['height_px']}" if fields["state"] == "live" and "width_px" in fields else ""
            detail = f": {fields['detail']}" if "detail" in fields else ""
            words = f"{fields['stream']}: {fields['state']}{size}{reason}{detail}"
        case "warning":
            words = ": ".join(str(fields[key]) for key in ("stream", "detail") if key in fields)
        case "worker_died":
            words = f"{fields.get('reason') or 'the worker ' + str(fields['worker']) + ' died'}; it is being restarted"
        case "worker_output":
            words = f"{fields['worker']}: {fields['detail']}"
        case "worker_restarted":
            words = f"the worker {fields['worker']} is back after {count(int(fields['restarts']), 'restart')}"
        case _:
            level = int(fields["overload_level"])
            words = f"overload level {level}: {overload_words(level)}" if level else "overload is over"
    return printable(words)


def dark_words(stream: StreamStatus) -> str:
    """Return that a camera gives no picture, for how long, and why."""
    why = ": ".join(filter(None, (stream.reason.replace("_", " "), stream.detail)))
    return printable(f"{stream.name}: no picture for {how_long(stream.seconds_dark)}{f' ({why})' if why else ''}")
