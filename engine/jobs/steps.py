"""What a worker's process does for an archive: it plans a recording, and processes a segment of one."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import msgspec

from engine.config import Config
from engine.contracts.orders import Warned
from engine.contracts.recording import Recording, Sent
from engine.errors import RecoverableError, WorkerError
from engine.jobs.chain import Progress as Frames
from engine.jobs.chain import process_segment
from engine.jobs.elsewhere import Away, Line, open_away
from engine.jobs.fetched import fetched
from engine.jobs.orders import PLAN, PlanOrder, SegmentOrder, Tree
from engine.jobs.plan import plan_recording
from engine.jobs.task import LINE, Kept, Progress
from engine.jobs.warm import Warm
from engine.storage.s3 import Storage
from engine.whole_file import write_whole

_ALIVE_SECONDS = 1e-6
"""Of a segment, that count as done with each MiB that was fetched, and whenever it says how far it is: whoever waits sees that
it goes on, also where it gives no frame for long."""


def plan(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Read a recording once, without decoding it."""
    order, steps = msgspec.msgpack.decode(spec, type=PlanOrder), count(1)

    def alive() -> None:
        progress(float(next(steps)))

    with _seen(kept, order.recording, alive) as recording:
        made = plan_recording(recording, _config(order.config), order.seconds, alive)
    write_whole(directory / PLAN, msgspec.json.encode(made))


def process(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Process a segment, with the models that are open.

    Raises:
        RecoverableError: the recording is not what was planned: its result would be taken for that of another content.
    """
    order, steps = msgspec.msgpack.decode(spec, type=SegmentOrder), count(1)

    def tell(frames: Frames) -> None:
        progress(order.seconds * frames.done / max(frames.of, frames.done, 1) + next(steps) * _ALIVE_SECONDS)

    with _seen(kept, order.recording, lambda: tell(Frames(0, 0))) as recording:
        _check_unchanged(recording, order.input)
        process_segment(recording, order.segment, directory, _warm(kept, order), tell)
        _check_unchanged(recording, order.input)


def _check_unchanged(recording: Recording, planned: Tree) -> None:
    now = recording.facts()
    if any(now.get(fact) != planned.get(fact) for fact in ("size_bytes", "mtime_ns")):
        raise RecoverableError(
            f"{recording.place} has changed since it was planned: have it tried again (see `facestream archive retry --help`)"
        )


@contextmanager
def _seen(kept: Kept, order: Sent, alive: Callable[[], None]) -> Iterator[Recording]:
    """Have a recording that is there: a node that has not mounted its folder must not take it for a bad one.

    Raises:
        WorkerError: it is not.
        FacestreamError: it cannot be fetched, see ``fetched``.
    """
    recording = order.recording()
    if recording.stored is not None:
        storage = kept.setdefault(f"storage {recording.stored.endpoint}", Storage(recording.stored.endpoint))
        with fetched(recording.stored, storage, alive) as path:
            yield replace(recording, path=path)
        return
    if not any(path.exists() for path in recording.files):
        raise WorkerError(f"{platform.node()} does not see {recording.place}")
    yield recording


def _warm(kept: Kept, order: SegmentOrder) -> Warm:
    """Return the open models; those for crops are elsewhere where there is a line to whoever holds them."""
    line: Line | None = kept.get(LINE)
    facts = open_away(line, order.recording.name, order.config) if line else None
    wanted = order.config, facts
    if kept.get("wanted") != wanted:
        if "warm" in kept:
            kept.pop("warm").close()
        away = (lambda stream: Away(kept[LINE]), facts) if facts is not None else None
        kept["warm"], kept["wanted"] = Warm(_config(order.config), _overhear, away), wanted
    warm: Warm = kept["warm"]
    return warm


def _overhear(warned: Warned) -> None:
    """What goes wrong and ends nothing is in the result, too."""


def _config(tree: Tree) -> Config:
    return msgspec.convert(tree, Config)
