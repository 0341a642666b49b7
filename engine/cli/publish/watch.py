"""``facestream watch``: shows what a publisher sends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from engine.archive.claim import check_free
from engine.cli.output.plain import plain
from engine.cli.publish.watch_saver import ANOTHER, Saver
from engine.cli.publish.watch_words import describe, summary_of
from engine.client import Gap, Received, Subscriber
from engine.pipeline.signals import TakenSignals
from engine.words.redaction import redact

Kind = Literal["face", "track", "stream", "stats", "end"]


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

    Stops after the run's last message, or at Ctrl-C. Without --follow it fails once
    the publisher has been gone for 30 s.

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
        Write pictures and headers as received into this directory, laid out like a run's output directory.
    streams
        Only these streams.
    kinds
        Only these kinds of messages; without ``end`` it does not stop by itself.
    replay
        The publisher's replay endpoint: fetches missed messages, and those sent earlier.
    key
        The file from `facestream keys new`, if the publisher has keys.
    follow
        Continue with the next run after this one ends; each is saved in its own directory below ``--save``.
    overwrite
        Replace a run that is already in ``--save``.
    json
        Print the headers as JSON, one per line, and nothing else on standard output.
    """
    if save is not None and not follow and not overwrite:
        check_free(save, ANOTHER)
    subscriber = Subscriber(
        endpoint, socket=socket, kinds=kinds, streams=streams or None, replay=replay, key=key, follow=follow, tell=_note,
    )  # fmt: skip
    output = _JsonLines() if json else _Lines()
    with subscriber, ExitStack() as closing:
        saver = closing.enter_context(Saver(save, endpoint, follow, overwrite)) if save else None
        with suppress(KeyboardInterrupt), _Stop() as stop:
            for item in subscriber:
                with stop.held_back():
                    output.show(item)
                    if saver is not None and isinstance(item, Received):
                        saver.write(item)
        output.summary(subscriber)


def _note(sentence: str) -> None:
    sys.stderr.write(f"facestream: note: {plain(redact(sentence))}\n")


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
        self._console.print(Text(summary_of(subscriber), "dim"))


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
        self._errors.print(Text(summary_of(subscriber), "dim"))
