"""The live table of a run with cameras, and its final table."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from engine.cli.output.tables import Column, Rows
from engine.cli.run.news import News
from engine.cli.run.words import frames_per_second, how_long, overload_words, printable, state_words, summary_words
from engine.contracts.messages import StreamState
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus

STATE_STYLES = {
    "live": "green", "failed": "bold red", "stalled": "yellow", "discontinuity": "yellow", "connecting": "cyan",
}  # fmt: skip
_WORST_FIRST: tuple[StreamState, ...] = ("failed", "stalled", "connecting", "discontinuity", "live", "ended")
_AILING = ("failed", "stalled", "connecting", "discontinuity")
_WIDE = 72
"""Narrower terminals see fewer columns."""
_REFRESH_SECONDS = 0.5
_MOST_FAILED = 30
_LINES_AROUND = 2
"""The heading's and the cursor's."""


class LiveTable:
    """Shows a run in place while it goes on, and leaves no trace; deaths of workers and warnings stay as lines above it.

    Args:
        console: a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(Text("loading models", "dim"), console=console, auto_refresh=False, transient=True)
        self._next_refresh = 0.0
        self._news = News(console)

    def __enter__(self) -> LiveTable:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, status: RunStatus) -> None:
        """Redraw, if the last time is long enough ago."""
        if time.monotonic() < self._next_refresh and not status.ended:
            return
        self._next_refresh = time.monotonic() + _REFRESH_SECONDS
        self._news.show(status)
        self._live.update(live_table(status, *self._console.size), refresh=True)


def live_table(status: RunStatus, width: int, height: int) -> Group:
    """Return the streams and the run as a whole in less than ``height`` lines (of at least six) of ``width`` characters.

    Streams stand in the order of the configuration; where they do not all fit, those in the worst state come first. Where
    there is room left, what ails them stands below.
    """
    overload = overload_words(status.overload_level)
    below = [Text(f"overload: {overload}", "bold yellow", no_wrap=True, overflow="ellipsis")] if overload else []
    below.append(Text("  ".join(summary_words(status, frames_per_second(status))), "bold", no_wrap=True, overflow="ellipsis"))
    streams = list(status.streams.values())
    room = max(height - _LINES_AROUND - len(below), 1)
    if len(streams) <= room:
        ailing = [stream for stream in _worst_first(streams) if stream.detail and stream.standing in _AILING]
        return Group(_table(streams, width), *map(_detail, ailing[: room - len(streams)]), *below)
    shown = max(room - 1, 1)
    streams = _worst_first(streams)
    return Group(_table(streams[:shown], width), Text(_more(streams[shown:]), "dim"), *below)


def _worst_first(streams: Iterable[StreamStatus]) -> list[StreamStatus]:
    return sorted(streams, key=lambda stream: _WORST_FIRST.index(stream.standing))


def _table(streams: Iterable[StreamStatus], width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    wide = width >= _WIDE
    numbers = {"fps": 5, "faces": 6, "drops": 5} | ({"p50/99 ms": 9, "reconn.": 7} if wide else {}) | {"for": 6}
    left = width - sum(numbers.values()) - len(numbers) - 1
    name_width = min(left // 2, 24)
    table.add_column("stream", no_wrap=True, overflow="ellipsis", max_width=name_width)
    table.add_column("state", no_wrap=True, overflow="ellipsis", max_width=left - name_width)
    for heading, column_width in numbers.items():
        table.add_column(heading, justify="right", no_wrap=True, min_width=column_width)
    for stream in streams:
        latency = f"{_milliseconds(stream.latency_p50_ms)}/{_milliseconds(stream.latency_p99_ms)}"
        table.add_row(
            stream.name,
            Text(state_words(stream), STATE_STYLES.get(stream.standing, "dim")),
            f"{stream.fps:.1f}",
            str(stream.faces),
            str(stream.dropped),
            *([latency if stream.latency_p50_ms is not None else "-", str(stream.reconnects)] if wide else []),
            how_long(stream.seconds_in_state),
        )
    return table


def _detail(stream: StreamStatus) -> Text:
    return Text(f"{stream.name}: {printable(stream.detail)}", "dim", no_wrap=True, overflow="ellipsis")


def _more(hidden: list[StreamStatus]) -> str:
    states = Counter(stream.standing for stream in hidden)
    return "… " + ", ".join(f"{states[state]} more {state}" for state in _WORST_FIRST if states[state])


def end_table(streams: Iterable[StreamStatus]) -> Rows:
    """Return what each stream of a finished run gave."""
    figures = ("frames", "faces", "rejected", "drops", "errors", "reconnects", "p99 ms")
    rows: list[tuple[str | Text, ...]] = [
        (
            stream.name,
            Text(" ".join(filter(None, (stream.state, stream.reason.replace("_", " ")))), STATE_STYLES.get(stream.state, "")),
            *map(str, (stream.frames, stream.faces, stream.rejected, stream.dropped, stream.errored, stream.reconnects)),
            _milliseconds(stream.worst_latency_ms),
        )
        for stream in streams
    ]
    return Rows([Column("stream"), Column("end"), *(Column(title, "number") for title in figures)], rows)


def failed_table(streams: Sequence[StreamStatus]) -> Rows:
    """Return the recordings that failed, with the reason; the first ones of many."""
    more = f"the first {_MOST_FAILED} of {len(streams)}" if len(streams) > _MOST_FAILED else ""
    columns = [Column("stream"), Column("reason"), Column("why", "sentence"), Column("frames", "number")]
    rows = [
        (stream.name, stream.reason.replace("_", " "), printable(stream.detail), str(stream.frames))
        for stream in streams[:_MOST_FAILED]
    ]
    return Rows(columns, rows, title=Text(f"{len(streams)} failed", "bold red"), caption=more)


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
