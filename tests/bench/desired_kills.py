"""A service is told to change without a pause, and killed at random moments: what it had acknowledged is there afterwards.

Run: python -m tests.bench.desired_kills [KILLS] [SEED]

Of the one request that was under way when the kill came nobody knows whether it was done; everything before it must be there.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from engine.config import SourceConfig
from engine.control.answers import Done, Stream
from engine.control.client import ControlError, NoServiceError
from engine.control.verbs import AddStream, AnyVerb, ChangeStream, PauseStream, RemoveStream, ResumeStream
from engine.errors import FacestreamError
from tests.e2e.serving import Serving

NAMES = ("door", "hall", "yard", "gate", "dock")
_LONGEST_SECONDS = 1.5
Known = dict[str, tuple[float | None, bool]]
"""Name to detections per second and whether it is paused."""


def random_verb(known: Mapping[str, tuple[float | None, bool]], chance: random.Random) -> AnyVerb:
    """Return something that can be done now."""
    name = chance.choice(NAMES)
    if name not in known:
        return AddStream(source=SourceConfig(uri=f"rtsp://127.0.0.1:9/{name}", name=name), paused=chance.random() < 0.5)
    match chance.randrange(4):
        case 0:
            return RemoveStream(name=name)
        case 1:
            return PauseStream(name=name)
        case 2:
            return ResumeStream(name=name)
    return ChangeStream(name=name, changes={"detect_fps": chance.choice([None, 1.0, 2.0, 5.0])})


def after(known: Known, verb: AnyVerb) -> Known:
    """Return what is known once a verb was done."""
    match verb:
        case AddStream():
            return known | {verb.source.name: (None, verb.paused)}
        case RemoveStream():
            return {name: value for name, value in known.items() if name != verb.name}
        case PauseStream() | ResumeStream():
            return known | {verb.name: (known[verb.name][0], isinstance(verb, PauseStream))}
        case ChangeStream():
            return known | {verb.name: (verb.changes["detect_fps"], known[verb.name][1])}
    raise AssertionError(verb)


def found(service: Serving) -> Known:
    """Return what the service has."""
    return {name: (one.source.detect_fps, one.paused) for name, one in service.streams().items()}


class Changes:
    """Changes the service until it is killed."""

    def __init__(self, service: Serving, known: Known, chance: random.Random) -> None:
        self.service, self.chance = service, chance
        self.known, self.under_way, self.acknowledged = known, known, 0
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        with suppress(NoServiceError):
            while True:
                verb = random_verb(self.known, self.chance)
                self.under_way = after(self.known, verb)
                self.service.client.call(verb, Done if isinstance(verb, RemoveStream) else Stream, seconds=2.0)
                self.known = self.under_way
                self.acknowledged += 1


def main() -> int:
    """Return 1 where something acknowledged was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int, nargs="?", default=50)
    parser.add_argument("seed", type=int, nargs="?", default=17)
    options = parser.parse_args()
    chance, lost, acknowledged, under_way, known = random.Random(options.seed), 0, 0, 0, Known()
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder)) as service:
        for number in range(options.kills):
            service.wait(lambda: found(service) is not None)
            if number % 5 == 4:  # most are killed while they load; some at work
                service.wait(lambda: service.status().state == "running")
            changes = Changes(service, known, chance)
            time.sleep(chance.random() * _LONGEST_SECONDS)
            service.kill()
            changes.join()
            service.start()
            service.wait(lambda: found(service) is not None)
            there = found(service)
            acknowledged += changes.acknowledged
            if there == changes.known:
                known = changes.known
            elif there == changes.under_way:
                under_way, known = under_way + 1, changes.under_way
            else:
                lost, known = lost + 1, there
                sys.stdout.write(f"kill {number}: {there}, acknowledged {changes.known}, under way {changes.under_way}\n")
        service.kill()
    sys.stdout.write(
        f"{options.kills} kills, seed {options.seed}: {acknowledged} acknowledged changes, {lost} times one was lost; "
        f"{under_way} times the one under way was done\n"
    )
    return 1 if lost else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ControlError, FacestreamError) as error:
        sys.exit(str(error))
