"""When people were seen, in each stream: a line for each, drawn as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

from engine.contracts.findings import Decision
from engine.report.track_index import Indexed
from engine.words.numbers import count
from engine.words.times import clock, wall_clock, zone

_MOST_LANES = 24
_BINS = 300
_TICKS, _BRIEF_SECONDS = 5, 20.0
_BANDS: dict[Decision, tuple[int, int]] = {"known": (0, 4), "undecided": (4, 2), "unknown": (6, 2), "none": (8, 2)}
"""Where each is drawn: y and height, of 10."""


@dataclass
class _Axis:
    """Streams whose times can be compared."""

    first: float = math.inf
    last: float = -math.inf
    lanes: dict[str, dict[Decision, bytearray]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def place(self, seconds: float) -> int:
        share = (seconds - self.first) / max(self.last - self.first, 1e-3)
        return min(max(math.floor(_BINS * share), 0), _BINS - 1)


def time_lines(tracks: Iterable[Indexed], again: Iterable[Indexed], streams: Mapping[str, object]) -> str:
    """Return when tracks were seen: by the clock on the wall where it is known, else by seconds of each recording.

    Args:
        tracks: all of them.
        again: the same once more, as they are not kept.
        streams: names, those first that matter; of more than ``_MOST_LANES`` the others are counted alone.
    """
    shown = set(list(streams)[:_MOST_LANES])
    axes = {True: _Axis(), False: _Axis()}
    for track in tracks:
        axis, (first, last) = axes[track.clock_ns is not None], _span(track)
        if track.stream in shown:
            axis.first, axis.last = min(axis.first, first), max(axis.last, last)
        else:
            axis.left_out.add(track.stream)
    for track in again:
        if track.stream in shown:
            axis, (first, last) = axes[track.clock_ns is not None], _span(track)
            lane = axis.lanes.setdefault(track.stream, {}).setdefault(track.decision, bytearray(_BINS))
            start, end = axis.place(first), axis.place(last)
            lane[start : end + 1] = b"\1" * (end + 1 - start)
    drawn = "".join(_drawn(axis, by_clock) for by_clock, axis in axes.items() if axis.lanes)
    if not drawn:
        return ""
    seen = {decision for axis in axes.values() for lane in axis.lanes.values() for decision in lane}
    legend = "".join(f'<span class="key {decision}">{decision}</span>' for decision in _BANDS if decision in seen)
    return f'<section class="time"><h2>When</h2>{drawn}<p class="legend">{legend}</p></section>'


def _span(track: Indexed) -> tuple[float, float]:
    if track.clock_ns is None:
        return track.first, track.last
    return track.clock_ns[0] / 1e9, track.clock_ns[1] / 1e9


def _drawn(axis: _Axis, by_clock: bool) -> str:
    lanes = []
    for stream, of_stream in sorted(axis.lanes.items()):
        paths = "".join(
            f'<path class="{one}" d="{"".join(_bars(of_stream[one], *band))}"/>'
            for one, band in _BANDS.items()
            if one in of_stream
        )
        label = escape(f"when people were seen in {stream}")
        lanes.append(
            f'<span class="lane" title="{escape(stream)}">{escape(stream)}</span>'
            f'<svg viewBox="0 0 {_BINS} 10" preserveAspectRatio="none" role="img" aria-label="{label}">{paths}</svg>'
        )
    ends = [axis.first + (axis.last - axis.first) * tick / (_TICKS - 1) for tick in range(_TICKS)]
    ticks = "".join(f"<span>{_tick(at, by_clock, axis)}</span>" for at in ends)
    said = f"clock time, {zone(round(axis.first * 1e9))}" if by_clock else "time in each recording"
    more = f"; {count(len(axis.left_out), 'more stream is', 'more streams are')} in the table below" if axis.left_out else ""
    return (
        f'<div class="lanes">{"".join(lanes)}<span></span><div class="axis">{ticks}</div></div><p class="of">{said}{more}</p>'
    )


def _tick(at: float, by_clock: bool, axis: _Axis) -> str:
    if not by_clock:
        return clock(at)[:8] if axis.last - axis.first > _BRIEF_SECONDS else clock(at)
    day, time, _ = wall_clock(round(at * 1e9)).split()
    same_day = wall_clock(round(axis.first * 1e9))[:10] == wall_clock(round(axis.last * 1e9))[:10]
    return time if same_day and at != axis.first else f"{day} {time}"


def _bars(bins: bytearray, y: int, height: int) -> Iterator[str]:
    """Yield a rectangle for each run of bins that are set."""
    start = bins.find(1)
    while start >= 0:
        end = bins.find(0, start)
        end = _BINS if end < 0 else end
        yield f"M{start} {y}h{end - start}v{height}h{start - end}z"
        start = bins.find(1, end)
