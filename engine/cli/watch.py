"""``facestream watch``: look at what a publisher sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from engine.archive.claim import check_free
from engine.archive.writer import DirectorySink
from engine.client import Candidate, End, Face, Gap, Received, Stats, Stream, Subscriber, Track
from engine.config import OutputConfig
from engine.contracts.count_words import count
from engine.contracts.findings import Decision
from engine.contracts.times import clock
from engine.contracts.worth import ratio
from engine.pipeline.signals import TakenSignals
from engine.source.names import name_from_text, new_name

Kind = Literal["face", "track", "stream", "stats", "end"]
_ANOTHER = "choose another directory with --save, or replace it with --overwrite"
_STYLES: dict[Decision, str] = {"known": "green", "undecided": "yellow", "unknown": "default", "none": "dim"}


def watch(
    endpoint: str,
    *,
    socket: Literal["sub", "pull"] = "sub",
    save: Path | None = None,
    streams: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    kinds: Annotated[tuple[Kind, ...], Parameter(consume_multiple=True, negative="")] = ("face", "track", "stream", "end"),
    replay: str | None = None,
    key: Path | None = None,
    follow: bool = False,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: bool = False,
) -> None:
    """Print one line for each message of a run, and save what it carries.

    Stops after the run's last message, or at Ctrl-C.

    For example:

        facestream watch tcp://127.0.0.1:5556

        facestream watch ipc:///run/user/1000/facestream/faces --streams door yard --kinds face track

        facestream watch tcp://127.0.0.1:5556 --socket pull --save seen

        facestream watch tcp://127.0.0.1:5556 --json | jq .decision

        facestream watch tcp://192.0.2.5:5556 --key kiosk.key

    Parameters
    ----------
    endpoint
        What the publisher binds.
    socket
        ``sub`` for a ``pub`` endpoint, ``pull`` for a ``push`` one.
    save
        Write pictures and headers as they came into this directory, laid out like the output directory of a run.
    streams
        Only these streams.
    kinds
        Only these kinds of messages; without ``end`` it does not stop by itself.
    replay
        The publisher's replay endpoint: fetches what was missed, and what was sent before.
    key
        The file that `facestream keys new` wrote, where the publisher has keys.
    follow
        Go on with the next run after the end of this one; each is saved in a directory of its own below ``--save``.
    overwrite
        Replace a run that is in ``--save`` already.
    json
        Print the headers as JSON, one a line, and nothing else on standard output.
    """
    if save is not None and not follow and not overwrite:
        check_free(save, _ANOTHER)
    subscriber = Subscriber(
        endpoint, socket=socket, kinds=kinds, streams=streams or None, replay=replay, key=key, follow=follow,
    )  # fmt: skip
    output = _JsonLines() if json else _Lines()
    with subscriber, ExitStack() as closing:
        saver = closing.enter_context(_Saver(save, endpoint, follow, overwrite)) if save else None
        with suppress(KeyboardInterrupt), _Stop() as stop:
            for item in subscriber:
                with stop.held_back():
                    output.show(item)
                    if saver is not None and isinstance(item, Received):
                        saver.write(item)
        output.summary(subscriber)


class _Stop(TakenSignals):
    """Ctrl-C, SIGTERM or a terminal that is closed ends the block by a ``KeyboardInterrupt``, but never in the middle of a
    message that is being written."""

    def __init__(self) -> None:
        super().__init__(self._ask)
        self._busy = False
        self._asked = False

    @contextmanager
    def held_back(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._asked:
            raise KeyboardInterrupt

    def _ask(self, number: int) -> None:
        self._asked = True
        if not self._busy:
            raise KeyboardInterrupt


class _Lines:
    """For a person."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)

    def show(self, item: Received | Gap) -> None:
        self._console.print(describe(item))

    def summary(self, subscriber: Subscriber) -> None:
        self._console.print(Text(_summary(subscriber), "dim"))


class _JsonLines:
    """For a program: messages on standard output, all else on standard error."""

    def __init__(self) -> None:
        self._output = Console(highlight=False, soft_wrap=True, markup=False, emoji=False, color_system=None)
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)

    def show(self, item: Received | Gap) -> None:
        if isinstance(item, Gap):
            self._errors.print(describe(item))
        else:
            self._output.out(msgspec.json.encode(item.message).decode())

    def summary(self, subscriber: Subscriber) -> None:
        self._errors.print(Text(_summary(subscriber), "dim"))


class _Saver:
    """Writes messages of one run after another."""

    def __init__(self, directory: Path, endpoint: str, several_runs: bool, overwrite: bool = False) -> None:
        self._directory = directory
        self._endpoint = endpoint
        self._several_runs, self._overwrite = several_runs, overwrite
        self._sink: DirectorySink | None = None
        self._run_id = ""
        self._taken: set[str] = set()
        """Names of folders: those of two runs may differ in what no folder's name has."""
        self._outcome = "drained"

    def __enter__(self) -> _Saver:
        return self

    def __exit__(self, *_: object) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._sink is not None:
            self._sink.close(self._outcome)
            self._sink = None

    def write(self, received: Received) -> None:
        message = received.message
        if self._sink is None or message.run_id != self._run_id:
            self._finish()
            self._run_id, self._outcome = message.run_id, "drained"
            folder = self._folder()
            if not self._overwrite:
                check_free(folder, _ANOTHER)
            about = {"run_id": message.run_id, "received_from": self._endpoint}
            self._sink = DirectorySink(OutputConfig(directory=str(folder)), about, overwrite=self._overwrite)
        if isinstance(message, End):
            self._outcome = message.outcome
        self._sink.write(message, received.payloads)

    def _folder(self) -> Path:
        if not self._several_runs:
            return self._directory
        return self._directory / new_name(name_from_text(self._run_id) or "run", self._taken)


def describe(item: Received | Gap) -> Text:
    """Return one line about a message or a gap."""
    if isinstance(item, Gap):
        numbers = f"{item.first_seq}" if len(item) == 1 else f"{item.first_seq} to {item.last_seq}"
        return Text(f"missed {len(item)} {item.kind} of {item.stream or 'the run'}: seq {numbers}", "bold red")
    line = Text()
    for text, style in _pieces(item):
        line.append(("  " if line else "") + text, style)
    return line


def _pieces(item: Received) -> Iterator[tuple[str, str]]:
    message = item.message
    match message:
        case Face():
            yield f"face {message.stream} #{message.track_id}", "cyan"
            compression = "" if message.quality.qp is None else f" QP {message.quality.qp:.0f}"
            size = f"{message.quality.size_px:.0f} px quality {message.quality.score:.2f}"
            yield f"{clock(message.pts_seconds)} {size}{compression}", ""
            yield _who(message.decision, message.candidates), _STYLES[message.decision]
            if message.enhanced is not None:
                yield f"{message.enhanced.model} agrees with the picture {message.enhanced.lr_consistency_db:.1f} dB", "magenta"
        case Track():
            yield f"track {message.stream} #{message.track_id} {'ended' if message.ended else 'so far'}", "bold cyan"
            yield f"{clock(message.first_pts_seconds)} to {clock(message.last_pts_seconds)}", ""
            yield f"{count(message.frames_seen, 'frame')}, {count(message.faces_enhanced, 'face')}", ""
            if (picture := message.picture) is not None:
                yield f"one picture of {len(picture.frames)}, agreement {picture.agreement:.2f}", "magenta"
            yield _who(message.decision, message.candidates), f"bold {_STYLES[message.decision]}"
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


def _who(decision: Decision, candidates: list[Candidate]) -> str:
    if not candidates:
        return decision
    best = candidates[0]
    enhanced = "" if best.cosine_enhanced is None else f" (enhanced {best.cosine_enhanced:.3f})"
    weighed = "" if best.log10_lr is None else f", likelihood ratio {ratio(best.log10_lr)}"
    return f"{decision}: {best.identity} {best.cosine_original:.3f}{enhanced}{weighed}"


def _summary(subscriber: Subscriber) -> str:
    counters = subscriber.counters
    parts = [count(counters["messages"], "message"), f"{counters['missed']} missed"]
    parts += [f"{counters[name]:,} {name}" for name in ("stale", "replayed", "malformed", "repeated") if counters[name]]
    if subscriber.last_malformed:
        parts.append(f"last malformed: {subscriber.last_malformed}")
    return ", ".join(parts)
