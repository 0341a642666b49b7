"""The tasks of an archive: planning a recording, and processing a segment of one. ``steps`` does them, and loads far more."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.contracts.recording import Recording, Sent, sent
from engine.contracts.unreadable import UNREADABLE
from engine.errors import PublishError
from engine.jobs.plan import Plan
from engine.jobs.segments import Segment
from engine.jobs.task import Task

PLAN = "plan.json"
_PLAN_COST_PER_BYTE = 1e-9
"""In seconds of video: reading is far faster than processing."""
_PLAN_WORK, _SEGMENT_WORK = "engine.jobs.steps:plan", "engine.jobs.steps:process"
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
    return Task(key, recording.name, _PLAN_WORK, msgspec.msgpack.encode(order), 0.0, cost, first=True)


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
    settings = config | {
        "verify": {**config.get("verify", {}), "gallery": "", "gallery_key_file": ""}
    }  # a job has one, wherever its copy lies
    key = _key(recording.name, content, recording.name, recording.reading, recording.fps, segment, settings, models)
    return Task(key, recording.name, _SEGMENT_WORK, msgspec.msgpack.encode(order), seconds, max(seconds, 0.1))


def read_plan(directory: Path) -> Plan:
    """Return what ``plan`` has left.

    Raises:
        PublishError: it cannot be read.
    """
    try:
        return msgspec.json.decode((directory / PLAN).read_bytes(), type=Plan)
    except (OSError, *UNREADABLE) as error:
        raise PublishError(f"{directory / PLAN} cannot be read ({error}): remove {directory} to plan it again") from error


def _key(name: str, *parts: Any) -> str:
    """Return a key: a name for people, and the SHA-256 of what makes it."""
    content = msgspec.json.encode([msgspec.to_builtins(part) for part in parts], order="deterministic")
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()).strip("-")
    return f"{plain[:40]}-{hashlib.sha256(content).hexdigest()[:32]}".lstrip("-")
