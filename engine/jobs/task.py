"""A piece of work of an archive: idempotent, small enough to be done again, and named by what its result depends on."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec

Key = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-z][0-9a-z_-]{0,99}\Z")]
"""Usable as a file's name."""


class Task(msgspec.Struct, frozen=True):
    """One piece of work; whoever does it leaves a directory of files."""

    key: Key
    """By content: of the recording, the settings, the models and the part. The same key is the same result."""
    recording: str
    """The stream that it is of, for people."""
    work: str
    """``module:function``, called as ``Work``."""
    spec: bytes
    """What that function is given."""
    seconds: float = 0.0
    """Of video in it: what progress is counted in."""
    cost: float = 1.0
    """How much there is to do; only the ratios count. Large recordings come first, and estimates rest on it."""
    first: bool = False
    """Comes before all that are not: what it finds out is what the others are planned by."""


LINE = "line"
"""In ``Kept``: the ``elsewhere.Line`` to whoever computes crops, where that is somebody else."""


class Kept(dict[str, Any]):
    """What a process keeps between tasks, as open models; made by whoever needs it first."""


Progress = Callable[[float], None]
"""Takes the seconds of video that are done, of the task."""
Work = Callable[[Kept, bytes, Path, Progress], None]
"""``work(kept, spec, directory, progress)``: writes its result into an empty directory.

Raises:
    RecoverableError: the recording is bad, whoever reads it.
    FatalError: nothing can go on so, as without a model.
"""


def work_of(task: Task) -> Work:
    """Load the function that does a task."""
    module, _, name = task.work.partition(":")
    function: Work = getattr(importlib.import_module(module), name)
    return function
