"""Which runtime ``auto`` stands for: measured once for each model on each machine, in float32 only, and remembered.

No rule predicts it: of two runtimes either is the faster one, by processor and by network. What computes another result than
ONNX Runtime is no candidate, so that only the time differs. Embedders do not come here: their vectors are compared with those
of other machines.
"""

from __future__ import annotations

import fcntl
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace
from platformdirs import user_cache_path

from engine.contracts.manifest import sha256_of
from engine.errors import ConfigError, FacestreamError
from engine.runtime.session import AUTO, RUNTIMES, Session, SessionSpec, open_session
from engine.runtime.tensors import Tensor, TensorSpec

CANDIDATES = (AUTO, "openvino")
"""The first one decides what the result is, and is taken where no other is clearly faster."""
VARIABLE = "FACESTREAM_RUNTIME"
"""Environment variable that names what ``auto`` stands for instead, for whoever wants no measurement."""
_SECONDS = 0.5
"""For each candidate."""
_PATIENCE_SECONDS, _LOOK_SECONDS = 20.0, 0.05
"""How long to wait for another process that measures, as one may hang, and how often to look."""
_LEAST_GAIN = 0.85
"""Of the time of the first one: what is nearer to it is so by chance on a busy machine, and not worth other last digits."""

Example = Callable[[tuple[TensorSpec, ...]], Mapping[str, Tensor]]
"""Gives for a model's inputs what it is typically given."""


class Choice(msgspec.Struct, frozen=True):
    """What was measured of one model."""

    runtime: str
    """The one to take."""
    milliseconds: dict[str, float]
    """Of one run, by runtime."""

    def __str__(self) -> str:
        measured = ", ".join(f"{runtime} {spent:.3g} ms" for runtime, spent in self.milliseconds.items())
        return f"auto: {measured}"


def open_fastest(spec: SessionSpec, example: Example, file: Path | None = None) -> Session:
    """Open a model; where its runtime is ``auto``, and it is a file that is computed in float32 on the CPU, on the one of the
    installed runtimes that computes it fastest here. ``Session.runtime`` then says what was measured.

    Args:
        spec: of the model.
        example: see ``Example``.
        file: what was measured before; the user's own by default.

    Raises:
        ModelError, MissingRuntimeError, ConfigError: see ``open_session``.
    """
    installed = [name for name in CANDIDATES if find_spec(name) is not None]
    is_free = spec.runtime == "auto" and spec.device == "cpu" and spec.precision == "float32"
    if is_free and (named := os.environ.get(VARIABLE)):
        if named not in ("auto", *RUNTIMES):
            allowed = ", ".join(RUNTIMES)
            raise ConfigError(f"the environment variable {VARIABLE} is {named!r}: unset it, or use one of {allowed}")
        return open_session(replace(spec, runtime=named))
    if not is_free or len(installed) < 2 or not isinstance(spec.model, Path) or not spec.model.is_file():
        return open_session(spec)
    choice = _choice(replace(spec, threads=1), installed, example, file or user_cache_path("facestream") / "runtimes.json")
    if choice is None:
        return open_session(spec)
    session = open_session(replace(spec, runtime=choice.runtime))
    session.runtime += f" ({choice})"
    return session


def measure(
    sessions: Mapping[str, Session],
    tensors: Mapping[str, Tensor],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Choice:
    """Run each in turn, so that what else the machine does falls on all, and compare their quickest runs.

    Args:
        sessions: by runtime; the first one decides what the result is.
        tensors: what they are given.
        seconds: for each, beside one run before.
        clock: in seconds.

    Raises:
        InferenceError: the first one fails.
    """
    first, *others = sessions
    expected = sessions[first].run(tensors)
    running = [first, *(name for name in others if _agrees(sessions[name], tensors, expected))]
    best: dict[str, float] = {}
    end = clock() + seconds * len(running)
    while len(running) > 1 and (len(best) < len(running) or clock() < end):
        for name in running:
            start = clock()
            sessions[name].run(tensors)
            best[name] = min(best.get(name, float("inf")), clock() - start)
    fastest = min(best, key=lambda name: best[name], default=first)
    chosen = fastest if best and best[fastest] < _LEAST_GAIN * best[first] else first
    return Choice(chosen, {name: 1000 * spent for name, spent in best.items()})


def _agrees(session: Session, tensors: Mapping[str, Tensor], expected: list[Tensor]) -> bool:
    try:
        found = session.run(tensors)
    except FacestreamError:
        return False
    return len(found) == len(expected) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4)
        for one, other in zip(found, expected, strict=True)
    )


def _choice(spec: SessionSpec, runtimes: list[str], example: Example, file: Path) -> Choice | None:
    """Return what was measured, now or before; None where it cannot be remembered, or the model cannot be run."""
    key = " | ".join([_processor(), *(f"{name} {_version(name)}" for name in runtimes), sha256_of(spec.path), spec.output])
    with suppress(OSError), _locked(file):  # workers start at the same time, and one is to measure
        known = _read(file)
        if key in known:
            return known[key]
        if (choice := _measured(spec, runtimes, example)) is None:
            return None
        beside = file.with_suffix(".new")
        beside.write_bytes(msgspec.json.format(msgspec.json.encode({**known, key: choice})))
        beside.replace(file)
        return choice
    return None


def _measured(spec: SessionSpec, runtimes: list[str], example: Example) -> Choice | None:
    with ExitStack() as stack:
        sessions: dict[str, Session] = {}
        for name in runtimes:
            with suppress(FacestreamError):
                sessions[name] = stack.enter_context(open_session(replace(spec, runtime=name)))
        if runtimes[0] not in sessions:
            return None  # opening it again says what is wrong
        with suppress(FacestreamError):
            return measure(sessions, example(sessions[runtimes[0]].inputs), _SECONDS)
    return None


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the lock beside a file.

    Raises:
        OSError: it cannot be made, or another process holds it for too long.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise
                time.sleep(_LOOK_SECONDS)
        yield


def _read(file: Path) -> dict[str, Choice]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Choice])
    except (OSError, msgspec.DecodeError):
        return {}


def _processor() -> str:
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"
