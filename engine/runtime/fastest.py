"""Which of the ways to compute a model is taken: measured once for each model on each machine, and remembered.

No rule predicts it: of two runtimes either is the faster one, by processor and by network. What computes another result than
ONNX Runtime in float32 is no candidate, unless it was compared with it on real faces before, as engines are (see
``engine.super_resolve.wish``). Embedders do not come here: their vectors are compared with those of other machines.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace
from platformdirs import user_cache_path

from engine import __version__
from engine.contracts.manifest import sha256_of
from engine.errors import ConfigError, FacestreamError
from engine.runtime.failures import is_memory_failure
from engine.runtime.processor import machine_here
from engine.runtime.session import AUTO, RUNTIMES, Session, SessionSpec, open_session
from engine.runtime.tensors import Tensor, TensorSpec
from engine.whole_file import replacing

PLAIN = (AUTO, "openvino")
"""What computes a model as it is. The first one decides what the result is."""
VARIABLE = "FACESTREAM_RUNTIME"
"""Environment variable that names what ``auto`` stands for instead, for whoever wants no measurement and no engine."""
_SECONDS = 0.5
"""For each candidate."""
_PATIENCE_SECONDS, _LOOK_SECONDS = 20.0, 0.05
"""How long to wait for another process that measures, as one may hang, and how often to look."""
_LEAST_GAIN = 0.85
"""Of the time of the one before: what is nearer to it is so by chance on a busy machine, and not worth other last digits."""

Example = Callable[[tuple[TensorSpec, ...]], Mapping[str, Tensor]]
"""Gives for a model's inputs what it is typically given."""


@dataclass(frozen=True)
class Candidate:
    """One way to compute a model."""

    name: str
    """As ``openvino bfloat16``."""
    spec: SessionSpec
    identity: str
    """What its speed depends on: a version, an engine's hash."""
    is_proven: bool = False
    """It was compared with the model before, so that its results need not be those of the first candidate."""


class Choice(msgspec.Struct, frozen=True):
    """What was measured of one model."""

    name: str
    """Of the candidate to take."""
    milliseconds: dict[str, float]
    """Of one run, by candidate; the first one's first."""
    refused: dict[str, str] = {}
    """Why candidates cannot be opened here, or do not run."""

    def __str__(self) -> str:
        measured = ", ".join(f"{name} {spent:.3g} ms" for name, spent in self.milliseconds.items())
        return f"auto: {measured}"

    @property
    def times_as_fast(self) -> float:
        """The one to take, in comparison with the first."""
        first = next(iter(self.milliseconds.values()), 1.0)
        return first / self.milliseconds.get(self.name, first)


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
    is_free = spec.runtime == "auto" and spec.device == "cpu" and spec.precision == "float32"
    if is_free and (named := named_runtime()):
        return open_session(replace(spec, runtime=named))
    if not is_free or not isinstance(spec.model, Path) or not spec.model.is_file():
        return open_session(spec)
    session, choice = open_choice(plain_candidates(spec), example, file)
    if choice is not None:
        session.runtime += f" ({choice})"
    return session


def remembered() -> Path:
    """Return the file of what was measured before for this user; it need not exist."""
    return user_cache_path("facestream") / "runtimes.json"


def named_runtime() -> str:
    """Return what the environment names in the place of ``auto``, empty where it names nothing.

    Raises:
        ConfigError: it names what does not exist.
    """
    named = os.environ.get(VARIABLE, "")
    if named == "auto":
        return ""
    if named and named not in RUNTIMES:
        allowed = ", ".join(RUNTIMES)
        raise ConfigError(f"the environment variable {VARIABLE} is {named!r}: unset it, or use one of {allowed}")
    return named


def plain_candidates(spec: SessionSpec) -> list[Candidate]:
    """Return the installed runtimes that compute a model as it is, in float32."""
    return [plain_candidate(spec, name) for name in PLAIN if name == AUTO or find_spec(name)]


def plain_candidate(spec: SessionSpec, runtime: str) -> Candidate:
    """Return a runtime that computes a model as it is, in the precision of the spec."""
    return Candidate(runtime, replace(spec, runtime=runtime), version_here(runtime))


def open_choice(candidates: Sequence[Candidate], example: Example, file: Path | None = None) -> tuple[Session, Choice | None]:
    """Open the candidate that is clearly faster than those before it; they are measured where nobody did so yet.

    Args:
        candidates: at least one; those before others are preferred where they are as fast, and the first one decides what the
            result is.
        example: see ``Example``.
        file: what was measured before; the user's own by default.

    Returns:
        The session, and what was measured: None where there is one candidate, or nothing can be measured or remembered.

    Raises:
        ModelError, MissingRuntimeError, ConfigError: none can be opened; that of the first.
    """
    first = candidates[0]
    choice = None
    if len(candidates) > 1:
        choice = _choice(candidates, example, file or remembered())
    chosen = next((one for one in candidates if choice is not None and one.name == choice.name), first)
    return open_session(chosen.spec), choice


def measure(
    sessions: Mapping[str, Session],
    example: Example,
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
    proven: Sequence[str] = (),
) -> Choice:
    """Run each in turn, so that what else the machine does falls on all, and compare their quickest runs.

    Args:
        sessions: by candidate; the first one decides what the result is, those before others are preferred.
        example: see ``Example``.
        seconds: for each, beside one run before.
        clock: in seconds.
        proven: those whose results need not be the first one's.

    Raises:
        InferenceError: the first one fails.
    """
    first, *others = sessions
    refused: dict[str, str] = {}
    tensors = {name: example(session.inputs) for name, session in sessions.items()}  # an engine may take pixels instead
    expected = sessions[first].run(tensors[first])
    running = [first]
    for name in others:
        try:
            if _agrees(sessions[name].run(tensors[name]), expected, name in proven):
                running.append(name)
        except FacestreamError as error:
            refused[name] = str(error)
    best: dict[str, float] = {}
    end = clock() + seconds * len(running)
    while len(running) > 1 and (len(best) < len(running) or clock() < end):
        for name in running:
            start = clock()
            sessions[name].run(tensors[name])
            best[name] = min(best.get(name, float("inf")), clock() - start)
    chosen = first
    for name in best:
        if best[name] < _LEAST_GAIN * best[chosen]:
            chosen = name
    return Choice(chosen, {name: 1000 * spent for name, spent in best.items()}, refused)


def _agrees(found: list[Tensor], expected: list[Tensor], is_proven: bool) -> bool:
    if is_proven:
        return all(bool(np.isfinite(one).all()) for one in found)
    return len(found) == len(expected) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4)
        for one, other in zip(found, expected, strict=True)
    )


def _choice(candidates: Sequence[Candidate], example: Example, file: Path) -> Choice | None:
    """Return what was measured, now or before; None where it cannot be remembered, or the model cannot be run."""
    key = _key(candidates)
    if (before := _read(file).get(key)) is not None:  # also where nothing can be written, as in an image of a container
        return before
    with suppress(OSError), _locked(file):  # workers start at the same time, and one is to measure
        known = _read(file)
        if key in known:
            return known[key]
        if (choice := _measured(candidates, example)) is None:
            return None
        if not any(map(is_memory_failure, choice.refused.values())):  # there may be more of it at the next start
            with replacing(file) as beside:
                beside.write_bytes(msgspec.json.format(msgspec.json.encode({**known, key: choice})))
        return choice
    return None


def _key(candidates: Sequence[Candidate]) -> str:
    """Return all that a measurement depends on, and every refusal with it: where any of it changes, all are asked again.

    The machine (processor and its instructions, memory, kernel), this program, each runtime's version, each engine's content,
    and the model's. Memory that was short at one start is none of it: see ``_choice``.
    """
    first = candidates[0].spec
    ways = (f"{one.name} {one.identity}" for one in candidates)
    return " | ".join([machine_here(), f"facestream {__version__}", *ways, sha256_of(first.path), first.output])


def _measured(candidates: Sequence[Candidate], example: Example) -> Choice | None:
    with ExitStack() as stack:
        sessions: dict[str, Session] = {}
        refused: dict[str, str] = {}
        for one in candidates:
            try:
                sessions[one.name] = stack.enter_context(open_session(replace(one.spec, threads=1)))
            except FacestreamError as error:
                refused[one.name] = str(error)
        if candidates[0].name not in sessions:
            return None  # opening it again says what is wrong
        proven = [one.name for one in candidates if one.is_proven]
        with suppress(FacestreamError):
            choice = measure(sessions, example, _SECONDS, proven=proven)
            return replace(choice, refused=refused | choice.refused)
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


def version_here(package: str) -> str:
    """Return the version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "of unknown version"
