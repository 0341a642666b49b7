"""The log of ``facestream run``: one line for each event and, now and then, for the run as a whole."""

from __future__ import annotations

import datetime
import logging
import sys
import time
from collections import Counter
from typing import Any, Literal

import msgspec

from engine.cli.run.words import (
    dark_words,
    drops_of,
    errors_of,
    event_words,
    overload_words,
    printable,
    summary_words,
)
from engine.contracts.messages import StreamState
from engine.pipeline.events import Level, RunEvent
from engine.pipeline.run import RunResult
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.words.numbers import count
from engine.words.redaction import redact_tree

LogFormat = Literal["text", "json"]
STATS_SECONDS = 10.0
_MINUTE_SECONDS = 60.0
"""After the first one the run as a whole is told of once in each, as is a camera that gives no picture."""
_OVER: tuple[StreamState, ...] = ("ended", "failed")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class RunLog:
    """Writes to standard error through Python's logging; ``show`` is an observer of a run.

    Args:
        form: ``text``, or ``json`` for one object a line.
        quiet: warnings and errors only.
    """

    def __init__(self, form: LogFormat, *, quiet: bool) -> None:
        self.form = form
        self._logger = logging.getLogger("facestream")
        self._handler = logging.StreamHandler(sys.stderr)
        self._handler.setFormatter(JsonLines() if form == "json" else TextLines())
        self._least = logging.WARNING if quiet else logging.INFO
        self._status: RunStatus | None = None
        self._last_number = 0
        self._begun = self._next_stats = 0.0
        self._counted = (0.0, 0)
        """When frames were counted for the last line, and how many there were."""
        self._is_idle = False
        """Whether it was said last that there is no stream, as in a service to which none was given; it is said once."""
        self._told: dict[object, object] = {}
        self._reminded: dict[str, float] = {}

    def __enter__(self) -> RunLog:
        self._logger.addHandler(self._handler)
        self._logger.propagate = False
        self._logger.setLevel(self._least)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self._handler)
        self._handler.close()

    def show(self, status: RunStatus) -> None:
        """Log what has happened since the last call."""
        before, self._status = self._status, status
        if before is None or before.run_id != status.run_id:
            self._last_number = 0
            self._begun = time.monotonic()
            self._next_stats = self._begun + STATS_SECONDS
            self._rate(status)
            self._begin(status, again=before is not None)
        for event in status.events.after(self._last_number):
            self._last_number = event.number
            if not self._is_repeated(event):
                self._write(event.level, event.name, event_words(event), event.fields, event.time_ns)
        self._remind(status)
        if time.monotonic() >= self._next_stats:
            is_often = time.monotonic() < self._begun + _MINUTE_SECONDS
            self._next_stats = time.monotonic() + (STATS_SECONDS if is_often else _MINUTE_SECONDS)
            rate = self._rate(status)
            is_idle, was_idle = not status.streams, self._is_idle
            self._is_idle = is_idle
            if is_idle and was_idle:
                return
            self._write("info", "stats", _standing_words(status, rate), stats_fields(status, rate))

    def end(self, result: RunResult, exit_code: int) -> None:
        """Log the end of a run that was not broken off."""
        counters, counts = result.counters, result.status.totals
        fields = {
            "outcome": result.outcome,
            "exit_code": exit_code,
            "seconds": round(result.seconds, 3),
            "frames": counters.get("frames", 0),
            "tracks": counters.get("tracks", 0),
            "faces": counters.get("faces", 0),
            "rejected": counters.get("rejected", 0),
            "drops": drops_of(counts),
            "errors": errors_of(counts),
            "restarts": result.status.restarts,
            "unwritten": result.unwritten,
            "failed_streams": [stream.name for stream in result.failed_streams],
            "never_live": [stream.name for stream in result.never_live],
            "streams": {stream.name: stream_fields(stream) for stream in result.streams},
        }
        words = f"{result.outcome} after {result.seconds:.1f} s: {count(counters.get('frames', 0), 'frame')}, "
        words += count(counters.get("faces", 0), "face")
        if result.failed_streams:
            words += f"; {count(len(result.failed_streams), 'stream')} failed"
        if result.cameras and len(result.never_live) == len(result.cameras):
            words += "; no camera ever gave a picture"
        self._write("error" if exit_code else "info", "run_ended", words, fields, run_id=result.run_id)

    def warn(self, sentence: str) -> None:
        """Log what is unwise but not wrong."""
        self._write("warning", "note", printable(sentence), {})

    def say(self, sentence: str) -> None:
        """Log what is good to know."""
        self._write("info", "note", printable(sentence), {})

    def set_level(self, level: Level) -> None:
        """From now on log this level and those above it."""
        self._logger.setLevel(_LEVELS[level])

    def forget_run(self) -> None:
        """What is shown next is another run, not one that goes on."""
        self._status = None

    def fail(self, sentence: str, exit_code: int) -> None:
        """Log why a run could not begin or go on."""
        self._write("error", "run_failed", printable(sentence), {"exit_code": exit_code})

    def _begin(self, status: RunStatus, *, again: bool) -> None:
        words = f"all workers are ready, {count(len(status.wanted), 'stream')}"
        if again:
            words += "; the run goes on after the death of a worker"
        self._write("info", "run_resumed" if again else "run_started", words, {"streams": list(status.wanted)})

    def _rate(self, status: RunStatus) -> float:
        """Return how many frames a second there were since the last line: a short recording is over before it has a rate."""
        (then, before), frames = self._counted, status.totals.run.get("frames", 0)
        self._counted = time.monotonic(), frames
        return max(0, frames - before) / max(self._counted[0] - then, 1e-3)

    def _remind(self, status: RunStatus) -> None:
        """Say again and again which cameras give no picture; what was said once, hours ago, nobody finds."""
        now = time.monotonic()
        for name, stream in status.wanted.items():
            if not stream.seconds_dark:
                self._reminded.pop(name, None)
            elif now - max(self._reminded.get(name, 0.0), stream.dark_since) >= _MINUTE_SECONDS:
                self._reminded[name] = now
                fields = {
                    "stream": name,
                    "seconds": round(stream.seconds_dark),
                    "reason": stream.reason,
                    "detail": stream.detail,
                }
                self._write("warning", "dark", dark_words(stream), fields)

    def _is_repeated(self, event: RunEvent) -> bool:
        """Whether this was told of the stream last: one more attempt to reach a camera that fails as the one before, of which
        ``_remind`` tells; or the end of a recording, of which a run that goes on after a death hears again.
        """
        if event.name != "stream":
            return False
        name, what = event.fields["stream"], (event.fields["state"], event.fields.get("reason"))
        before, self._told[name] = self._told.get(name), what
        return what == before and what[0] in ("connecting", *_OVER)

    def _write(
        self, level: Level, event: str, words: str, fields: dict[str, Any], time_ns: int | None = None, run_id: str = ""
    ) -> None:
        run_id = run_id or (self._status.run_id if self._status else "")
        told = {"event": event, "run_id": run_id, "fields": fields, "time_ns": time_ns or time.time_ns()}
        self._logger.log(_LEVELS[level], "%s", words, extra=told)


class TextLines(logging.Formatter):
    """For a person: local time, level, sentence."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.datetime.fromtimestamp(_time_ns(record) / 1e9).isoformat(" ", "seconds")
        return f"{when} {record.levelname.lower():7} {record.getMessage()}"


class JsonLines(logging.Formatter):
    """For a program: one object a line, with ``ts`` (ISO 8601, UTC), ``level``, ``event``, ``run_id`` where it is known,
    ``message``, and the event's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.datetime.fromtimestamp(_time_ns(record) / 1e9, datetime.UTC)
        line = {
            "ts": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "log"),
        }
        if run_id := getattr(record, "run_id", ""):
            line["run_id"] = run_id
        return msgspec.json.encode(
            {**line, "message": record.getMessage(), **redact_tree(getattr(record, "fields", {}))}
        ).decode()


def stats_fields(status: RunStatus, rate: float) -> dict[str, Any]:
    """Return where a run stands, for a program; ``rate``: frames a second."""
    counts = status.totals
    return {
        "uptime_seconds": round(status.seconds, 1),
        "frames_per_second": round(rate, 1),
        "frames": counts.run.get("frames", 0),
        "faces": counts.run.get("faces", 0),
        "drops": drops_of(counts),
        "errors": errors_of(counts),
        "overload_level": status.overload_level,
        "restarts": status.restarts,
        "streams": {name: stream_fields(stream) for name, stream in status.wanted.items()},
    }


def stream_fields(stream: StreamStatus) -> dict[str, Any]:
    """Return where one stream stands, for a program; latencies are null before the first face."""
    return {
        "state": stream.standing,
        "reason": stream.reason,
        "detail": stream.detail,
        "seconds_in_state": round(stream.seconds_in_state, 1),
        "frames_per_second": round(stream.fps, 1),
        "detections_per_second": round(stream.detections_per_second, 1),
        "frames": stream.frames,
        "faces": stream.faces,
        "dropped": stream.dropped,
        "errored": stream.errored,
        "reconnects": stream.reconnects,
        "latency_p50_ms": _rounded(stream.latency_p50_ms),
        "latency_p99_ms": _rounded(stream.latency_p99_ms),
        "funnel": msgspec.to_builtins(stream.funnel),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _standing_words(status: RunStatus, rate: float) -> str:
    states = Counter(stream.standing for stream in status.wanted.values())
    over = [f"{states[state]} {state}" for state in _OVER if states[state]]
    words = [f"{states['live']} of {count(len(status.wanted), 'stream')} live", *over, _progress_words(status)]
    words += summary_words(status, rate)
    return ", ".join(filter(None, [*words, overload_words(status.overload_level)]))


def _progress_words(status: RunStatus) -> str:
    """How far the recordings are that say how long they are."""
    known = {name: stream.frames_expected for name, stream in status.wanted.items() if stream.frames_expected}
    done = sum(min(status.frames_of(name), expected) for name, expected in known.items())  # some may be read a second time
    return f"{done} of {count(sum(known.values()), 'frame')} read" if known else ""


def _time_ns(record: logging.LogRecord) -> int:
    return int(getattr(record, "time_ns", record.created * 1e9))
