"""What a worker's process does for an archive: it plans a recording, and processes a segment of one."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.files import write_whole
from engine.config import Config
from engine.contracts.orders import Warned
from engine.contracts.recording import Recording, Sent, sent, shown
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError, RecoverableError, WorkerError
from engine.jobs.chain import Progress as Frames
from engine.jobs.chain import process_segment
from engine.jobs.elsewhere import Away, Line, open_away
from engine.jobs.plan import Plan, plan_recording
from engine.jobs.segments import Segment
from engine.jobs.task import LINE, Kept, Progress, Task
from engine.jobs.warm import Warm

PLAN = "plan.json"
_PLAN_COST_PER_BYTE = 1e-9
"""In seconds of video: reading is far faster than processing."""
Tree = dict[str, Any]


class PlanOrder(msgspec.Struct, frozen=True):
    """Plan a recording."""

    recording: Sent
    config: Tree
    seconds: float
    """That a segment should have."""


class SegmentOrder(msgspec.Struct, frozen=True):
    """Process a segment."""

    recording: Sent
    segment: Segment
    config: Tree
    seconds: float
    """Of video in it, about."""
    input: Tree
    """``Plan.input``."""


def plan_task(recording: Recording, config: Tree, seconds: float) -> Task:
    """Return the task that plans a recording. Its key changes with the file, and with how that is read."""
    facts = recording.facts()
    order = PlanOrder(sent(recording), config, seconds)
    key = _key(f"plan-{recording.name}", facts, order.recording, config.get("decode"), config.get("detect"), seconds)
    cost = facts.get("size_bytes", 0) * _PLAN_COST_PER_BYTE
    return Task(key, recording.name, _name(plan), msgspec.msgpack.encode(order), 0.0, cost, first=True)


def segment_task(recording: Sent, made: Plan, segment: Segment, config: Tree, models: Mapping[str, str]) -> Task:
    """Return the task that processes a segment. Its key is made of everything that its result depends on.

    Args:
        recording: of which it is one.
        made: the recording's.
        segment: which.
        config: the settings that change results.
        models: SHA-256 of each, by role.
    """
    share = segment.frames / made.scan.frames if made.scan.frames and segment.frames else 1.0
    seconds = made.scan.seconds * share
    order = SegmentOrder(recording, segment, config, seconds, made.input)
    content = made.input.get("sha256") or made.input
    key = _key(recording.name, content, recording.name, recording.reading, recording.fps, segment, config, models)
    return Task(key, recording.name, _name(process), msgspec.msgpack.encode(order), seconds, max(seconds, 0.1))


def read_plan(directory: Path) -> Plan:
    """Return what ``plan`` has left.

    Raises:
        PublishError: it cannot be read.
    """
    try:
        return msgspec.json.decode((directory / PLAN).read_bytes(), type=Plan)
    except (OSError, *UNREADABLE) as error:
        raise PublishError(f"{directory / PLAN} cannot be read ({error}): remove {directory} to plan it anew") from error


def plan(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Read a recording once, without decoding it."""
    order, steps = msgspec.msgpack.decode(spec, type=PlanOrder), count(1)
    recording, config = _seen(order.recording), _config(order.config)
    made = plan_recording(recording, config, order.seconds, lambda: progress(float(next(steps))))
    write_whole(directory / PLAN, msgspec.json.encode(made))


def process(kept: Kept, spec: bytes, directory: Path, progress: Progress) -> None:
    """Process a segment, with the models that are open.

    Raises:
        RecoverableError: the recording is not what was planned: its result would be taken for that of another content.
    """
    order = msgspec.msgpack.decode(spec, type=SegmentOrder)
    recording = _seen(order.recording)
    _check_unchanged(recording, order.input)
    warm = _warm(kept, order)

    def go_on(frames: Frames) -> bool:
        progress(order.seconds * frames.done / max(frames.of, frames.done, 1))
        return True

    process_segment(recording, order.segment, directory, warm, go_on)
    _check_unchanged(recording, order.input)


def _check_unchanged(recording: Recording, planned: Tree) -> None:
    now = recording.facts()
    if any(now.get(fact) != planned.get(fact) for fact in ("size_bytes", "mtime_ns")):
        raise RecoverableError(
            f"{shown(recording.path)} has changed since it was planned: `facestream archive retry`, then the same command again"
        )


def _seen(order: Sent) -> Recording:
    """Return a recording that is there: a node that has not mounted its folder must not take it for a bad one.

    Raises:
        WorkerError: it is not.
    """
    recording = order.recording()
    if not any(path.exists() for path in recording.files):
        raise WorkerError(f"{platform.node()} does not see {shown(recording.path)}")
    return recording


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


def _name(step: Any) -> str:
    return f"{__name__}:{step.__name__}"


def _config(tree: Tree) -> Config:
    return msgspec.convert(tree, Config)


def _key(name: str, *parts: Any) -> str:
    """Return a key: a name for people, and the SHA-256 of what makes it."""
    content = msgspec.json.encode([msgspec.to_builtins(part) for part in parts], order="deterministic")
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return f"{plain[:40]}-{hashlib.sha256(content).hexdigest()[:32]}".lstrip("-")
