"""Chooses the fastest way to compute a model: measured once for each model on each machine, and remembered.

No rule predicts it: which of two runtimes is faster depends on the processor and the network. A way whose results differ from
ONNX Runtime's in float32 is no candidate, unless it was compared on real faces before, as engines are (see
``engine.super_resolve.wish``). Embedders are never chosen this way: their vectors are compared with those of other machines.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec
from msgspec.structs import replace
from platformdirs import user_cache_path

from engine import __version__
from engine.contracts.manifest import sha256_of
from engine.contracts.unreadable import UNREADABLE
from engine.errors import ConfigError, FacestreamError
from engine.lock import lock_within
from engine.sessions.failures import is_memory_failure
from engine.sessions.packages import installed
from engine.sessions.processor import gpus_here, machine_here
from engine.sessions.race import Choice, Example, measure
from engine.sessions.session import AUTO, RUNTIMES, Session, SessionSpec, open_session
from engine.whole_file import replacing

PLAIN = (AUTO, "openvino")
"""Runtimes that compute a model as it is. The first one defines the result."""
VARIABLE = "FACESTREAM_RUNTIME"
"""Environment variable that names the runtime ``auto`` stands for, if no measurement and no engine is wanted."""
_SECONDS = 0.5
"""Time of the measurement for each candidate."""
_PATIENCE_SECONDS = 20.0
"""How long to wait for another process to measure; it may hang."""


@dataclass(frozen=True)
class Candidate:
    """One way to compute a model."""

    name: str
    """Such as ``openvino bfloat16``."""
    spec: SessionSpec
    identity: str
    """What its speed depends on: a version, or an engine's hash."""
    is_proven: bool = False
    """Whether it was compared with the model before; then its results need not equal the first candidate's."""


def open_fastest(spec: SessionSpec, example: Example, file: Path | None = None) -> Session:
    """Open a model. If its runtime is ``auto`` and it is a file computed in float32 on the CPU, choose the installed runtime
    that is fastest here. ``Session.runtime`` then says what was measured.

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
    """Return the file of this user's measurements; it need not exist."""
    return user_cache_path("facestream") / "runtimes.json"


def named_runtime() -> str:
    """Return the runtime that the environment names instead of ``auto``; empty if it names none.

    Raises:
        ConfigError: there is no such runtime.
    """
    named = os.environ.get(VARIABLE, "")
    if named == "auto":
        return ""
    if named and named not in RUNTIMES:
        allowed = ", ".join(RUNTIMES)
        raise ConfigError(f"the environment variable {VARIABLE} is {named!r}: unset it, or use one of {allowed}")
    return named


def plain_candidates(spec: SessionSpec) -> list[Candidate]:
    """Return a candidate for each installed runtime that computes a model as it is, in float32."""
    return [plain_candidate(spec, name) for name in PLAIN if name == AUTO or find_spec(name)]


def plain_candidate(spec: SessionSpec, runtime: str) -> Candidate:
    """Return the candidate of a runtime that computes a model as it is, in the precision of the spec."""
    return Candidate(runtime, replace(spec, runtime=runtime), version_here(runtime))


def open_choice(candidates: Sequence[Candidate], example: Example, file: Path | None = None) -> tuple[Session, Choice | None]:
    """Open the last candidate that is clearly faster than those before it; measure them if that was not done yet.

    Args:
        candidates: one or more, in order of preference among equally fast ones; the first one defines the result.
        example: see ``Example``.
        file: what was measured before; the user's own by default.

    Returns:
        The session, and what was measured; None if there is only one candidate, or nothing can be measured or remembered.

    Raises:
        ModelError, MissingRuntimeError, ConfigError: none can be opened; the error is that of the first.
    """
    first = candidates[0]
    choice = None
    if len(candidates) > 1:
        choice = _choice(candidates, example, file or remembered())
    chosen = next((one for one in candidates if choice is not None and one.name == choice.name), first)
    return open_session(chosen.spec), choice


def _choice(candidates: Sequence[Candidate], example: Example, file: Path) -> Choice | None:
    """Return what was measured, now or earlier; None if it cannot be remembered, or the model cannot be run."""
    key = _key(candidates)
    before = _read(file).get(key)
    if before is not None and not _has_room_now(before, candidates, example):
        return before  # also if nothing can be written, for instance in a container image
    with suppress(OSError), _locked(file):  # workers start at the same time, and only one should measure
        known = _read(file)
        if known.get(key) != before:
            return known.get(key)
        if (choice := _measured(candidates, example)) is not None:
            with replacing(file, public=True) as beside:
                beside.write_bytes(msgspec.json.format(msgspec.json.encode({**known, key: choice})))
        return choice
    return before


def _has_room_now(before: Choice, candidates: Sequence[Candidate], example: Example) -> bool:
    """Whether there is memory now for a candidate that was refused for lack of it: those are tried again at each start."""
    short = [name for name, reason in before.refused.items() if is_memory_failure(reason)]
    with ExitStack() as stack:
        sessions, _ = _opened(stack, candidates) if short else ({}, {})
        for name in short:
            with suppress(FacestreamError, KeyError):
                sessions[name].run(example(sessions[name].inputs))
                return True
    return False


def _key(candidates: Sequence[Candidate]) -> str:
    """Return everything that a measurement, and every refusal, depends on: if any of it changes, all candidates are tried
    again.

    It is the machine (processor and its instructions, memory, kernel; on a GPU its model and driver), this program, each
    runtime's version, each engine's content and the model's. Memory that was short at one start does not count: see
    ``_has_room_now``.
    """
    first = candidates[0].spec
    ways = (f"{one.name} {one.identity}" for one in candidates)
    gpus = [gpus_here()] if first.device != "cpu" else []
    return " | ".join([machine_here(), *gpus, f"facestream {__version__}", *ways, sha256_of(first.path), first.output])


def _measured(candidates: Sequence[Candidate], example: Example) -> Choice | None:
    with ExitStack() as stack:
        sessions, refused = _opened(stack, candidates)
        if candidates[0].name not in sessions:
            return None  # opening the model again raises what is wrong
        proven = [one.name for one in candidates if one.is_proven]
        with suppress(FacestreamError):
            choice = measure(sessions, example, _SECONDS, proven=proven)
            return replace(choice, refused=refused | choice.refused)
    return None


def _opened(stack: ExitStack, candidates: Sequence[Candidate]) -> tuple[dict[str, Session], dict[str, str]]:
    """Return the sessions of the candidates that can be opened, and why the others cannot."""
    sessions: dict[str, Session] = {}
    refused: dict[str, str] = {}
    for one in candidates:
        try:
            sessions[one.name] = stack.enter_context(open_session(replace(one.spec, threads=1)))
        except FacestreamError as error:
            refused[one.name] = str(error)
    return sessions, refused


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the lock beside a file.

    Raises:
        OSError: the lock cannot be created, or another process holds it for too long.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.with_suffix(".lock").open("w") as lock:
        if not lock_within(lock.fileno(), _PATIENCE_SECONDS):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), lock.name)
        yield


def _read(file: Path) -> dict[str, Choice]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Choice])
    except (OSError, *UNREADABLE):
        return {}


def version_here(package: str) -> str:
    """Return the installed version of a package, in words."""
    return installed(package) or "of unknown version"
