"""``facestream replay``: a finished run, sent once more."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import Parameter

from engine.archive.record import settings
from engine.cli.output.saying import say
from engine.client.results import load_run
from engine.config import PublishConfig
from engine.errors import PublishError, UsageError
from engine.pipeline.description import new_run_id
from engine.pipeline.signals import CountedSignals
from engine.publish.exposure import check_exposure
from engine.publish.frames import kept_back
from engine.publish.opening import Publisher, open_publisher
from engine.results.once_more import LOOK_SECONDS, send_once_more
from engine.results.recorded import Lost
from engine.words.numbers import count

_MOST_SAID = 5
_FOR_EVER_SECONDS = 1e9


def replay(
    result: Annotated[Path, Parameter(help="Output directory of a run.")],
    /,
    *,
    publish: Annotated[str, Parameter(help="ZeroMQ endpoint to bind, such as tcp://127.0.0.1:5556.")],
    socket: Annotated[
        Literal["pub", "push"], Parameter(help="pub: never blocks, may drop; push: loses nothing, waits for the reader.")
    ] = "pub",
    speed: Annotated[str, Parameter(help="Speed relative to the original, or max: without waiting.")] = "1",
    loop: Annotated[int, Parameter(help="How many times; 0: until stopped.")] = 1,
    no_wait: Annotated[bool, Parameter(negative=(), help="Begin at once instead of when somebody subscribes.")] = False,
    wait_readers: Annotated[
        int, Parameter(help="Begin when this many have subscribed (pub); later ones miss the beginning.")
    ] = 1,
    wait_seconds: Annotated[float | None, Parameter(help="Give up waiting after this time; by default never.")] = None,
    vectors: Annotated[bool, Parameter(negative=(), help="Send the vectors too, which can identify a person.")] = False,
    keys: Annotated[Path | None, Parameter(help="Folder from `facestream keys`: only its clients may read, encrypted.")] = None,
    insecure: Annotated[bool, Parameter(negative=(), help="Publish unencrypted beyond this machine.")] = False,
) -> int:
    """Publish the messages of a finished run again, to develop a program that reads them.

    A subscriber sees a run: the same topics, headers and pictures in the same
    order, with a new run_id, numbers from 0, present times, and the last message at
    the end. Each pass of --loop is a run of its own. There are no `stats` messages,
    as a directory keeps none. Each picture is compared with its SHA-256; one that
    has changed is left out and reported.

    At --speed max a pub socket drops what a reader does not take in time: use
    push, or a number.

    For example:

        facestream replay result --publish tcp://127.0.0.1:5556

        facestream replay result --publish tcp://127.0.0.1:5556 --speed 4 --loop 0

        facestream replay result --publish tcp://127.0.0.1:5556 --wait-readers 3
    """
    times = _speed(speed)
    if loop < 0:
        raise UsageError(f"--loop {loop} must be 1 or more, or 0 to go on for ever")
    if wait_readers < 1 or (wait_seconds is not None and not 0 <= wait_seconds < _FOR_EVER_SECONDS):
        raise UsageError("--wait-readers must be 1 or more, and --wait-seconds must not be negative")
    if wait_readers > 1 and (no_wait or socket == "push"):
        raise UsageError("--wait-readers is for a pub socket, without --no-wait: push gives each message to one reader")
    run = load_run(result)
    config = PublishConfig(
        endpoint=publish,
        socket=socket,
        keys=str(keys) if keys else "",
        insecure=insecure,
        embeddings=vectors,
        parts=_parts(run.record),
    )
    if warning := check_exposure(config):
        say(warning, aside=True)
    lost, sent, passes = Lost(), 0, 0
    with (
        _Stop() as stop,
        open_publisher(config, new_run_id(), warn=lambda sentence: say(sentence, aside=True), awaits=wait_readers) as publisher,
    ):
        if not no_wait:
            _await_readers(wait_readers, _FOR_EVER_SECONDS if wait_seconds is None else wait_seconds, publisher, stop)
        while not stop.is_asked() and (loop == 0 or passes < loop):
            lost = Lost()
            sent += send_once_more(
                run, new_run_id(), lambda message, payloads: publisher.send(message, payloads, stop.is_asked), lost,
                speed=times, without=kept_back(config), look=publisher.poll, should_stop=stop.is_asked,
            )  # fmt: skip
            passes += 1
            if times is not None and passes != loop:
                _rest(1 / times, publisher, stop)
        publisher.see_off(stop.is_asked)
    say(f"sent {count(sent, 'message')} in {count(passes, 'run')}", aside=True)
    _say_lost(result, lost)
    return 1 if lost.changed else 0


def _say_lost(result: Path, lost: Lost) -> None:
    if lost.missing:
        say(f"{count(lost.missing, 'part')} of messages are no longer in {result} and were left out", aside=True)
    for path in lost.changed[:_MOST_SAID]:
        say(f"{path} is no longer what was sent (SHA-256 differs): left out", aside=True)
    if len(lost.changed) > _MOST_SAID:
        say(f"so are {len(lost.changed) - _MOST_SAID} more", aside=True)


def _await_readers(readers: int, seconds: float, publisher: Publisher, stop: _Stop) -> None:
    who = "a reader" if readers == 1 else count(readers, "reader")
    say(f"waiting for {who} at {publisher.bound_endpoint}", aside=True)
    if not publisher.wait_for_subscriber(seconds, stop.is_asked) and not stop.is_asked():
        there = f"{publisher.readers} of {readers} subscribed" if readers > 1 else "nobody read"
        raise PublishError(f"{there} at {publisher.bound_endpoint} within {seconds:g} s: nothing was sent")


def _rest(seconds: float, publisher: Publisher, stop: _Stop) -> None:
    """Wait between two passes: one of few messages, or none, would flood whoever reads."""
    until = time.monotonic() + seconds
    while not stop.is_asked() and time.monotonic() < until:
        publisher.poll()
        time.sleep(LOOK_SECONDS)


def _parts(record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the parts that a run was told to send, by its record."""
    told = settings(record, "publish").get("parts")
    try:
        return msgspec.convert({"parts": told}, PublishConfig).parts
    except msgspec.ValidationError:
        return PublishConfig().parts


def _speed(text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise UsageError(f"--speed {text} must be a number above 0, or max")
    return speed


class _Stop(CountedSignals):
    """Lets Ctrl-C, SIGTERM or a terminal that is closed end it in good order, with a last message; a second Ctrl-C at once."""

    def is_asked(self) -> bool:
        return self.count > 0

    def _add(self, number: int) -> None:
        super()._add(number)
        if self.count > 1:
            raise KeyboardInterrupt
