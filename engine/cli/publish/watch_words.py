"""What ``facestream watch`` prints about a message."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich.text import Text

from engine.cli.output.plain import plain
from engine.client import End, Face, Gap, Received, Stats, Stream, Subscriber, Track
from engine.contracts.findings import Decision
from engine.words.numbers import count
from engine.words.times import clock
from engine.words.worth import bounded

_STYLES: dict[Decision, str] = {"known": "green", "undecided": "yellow", "unknown": "default", "none": "dim"}


def describe(item: Received | Gap) -> Text:
    """Return one line about a message or a gap."""
    if isinstance(item, Gap):
        numbers = f"{item.first_seq}" if len(item) == 1 else f"{item.first_seq} to {item.last_seq}"
        return Text(plain(f"missed {len(item)} {item.kind} of {item.stream or 'the run'}: seq {numbers}"), "bold red")
    line = Text()
    for text, style in _pieces(item):
        line.append(("  " if line else "") + plain(text), style)
    return line


def _pieces(item: Received) -> Iterator[tuple[str, str]]:
    message = item.message
    match message:
        case Face():
            yield f"face {message.stream} #{message.track_id}", "cyan"
            whole = " of the picture" if message.quality.qp_of_picture else ""
            compression = "" if message.quality.qp is None else f" QP {message.quality.qp:.0f}{whole}"
            size = f"{message.quality.size_px:.0f} px quality {message.quality.score:.2f}"
            yield f"{clock(message.pts_seconds)} {size}{compression}", ""
            yield _who(message), _STYLES[message.decision]
            if message.enhanced is not None:
                yield f"{message.enhanced.model} agrees with the picture {message.enhanced.lr_consistency_db:.1f} dB", "magenta"
        case Track():
            yield f"track {message.stream} #{message.track_id} {'ended' if message.ended else 'so far'}", "bold cyan"
            yield f"{clock(message.first_pts_seconds)} to {clock(message.last_pts_seconds)}", ""
            yield f"{count(message.frames_seen, 'frame')}, {count(message.faces_enhanced, 'face')}", ""
            if (picture := message.picture) is not None:
                yield f"one picture of {len(picture.frames)}, agreement {picture.agreement:.2f}", "magenta"
            yield _who(message), f"bold {_STYLES[message.decision]}"
        case Stream():
            style = "red" if message.state in ("failed", "stalled") else "blue"
            yield f"stream {message.stream} {message.state} {message.reason.replace('_', ' ')}".rstrip(), style
            yield message.detail, ""
        case Stats():
            rates = ", ".join(f"{name} {stage.items_per_second:.0f}/s" for name, stage in message.stages.items())
            yield f"stats {rates}", "dim"
        case End():
            yield f"end {message.outcome}", "bold" if message.outcome == "completed" else "bold red"
            yield message.detail, ""
    if not item.replayed:
        yield f"seq {message.seq}, {(time.time_ns() - message.sent_ns) / 1e6:.1f} ms old", "dim"
    else:
        yield f"seq {message.seq}, replayed", "yellow"


def _who(message: Face | Track) -> str:
    if not message.candidates:
        return message.decision
    best = message.candidates[0]
    basis = message.basis if isinstance(message, Track) else None
    bounds = basis.log10_lr_bounds if basis is not None else None
    enhanced = "" if best.cosine_enhanced is None else f" (enhanced {best.cosine_enhanced:.3f})"
    weighed = "" if best.log10_lr is None else f", likelihood ratio {bounded(best.log10_lr, bounds)}"
    return f"{message.decision}: {best.identity} {best.cosine_original:.3f}{enhanced}{weighed}"


def summary_of(subscriber: Subscriber) -> str:
    """Return what a subscriber has received, and what it has not."""
    counters = subscriber.counters
    parts = [count(counters["messages"], "message"), f"{counters['missed']} missed"]
    parts += [f"{counters[name]:,} {name}" for name in ("stale", "replayed", "malformed", "repeated") if counters[name]]
    if subscriber.last_malformed:
        parts.append(f"last malformed: {plain(subscriber.last_malformed)}")
    return ", ".join(parts)
