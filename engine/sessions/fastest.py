"""Which of the ways to compute a model is taken: measured once for each model on each machine, and remembered.

No rule predicts it: of two runtimes either is the faster one, by processor and by network. What computes another result than
ONNX Runtime in float32 is no candidate, unless it was compared with it on real faces before, as engines are (see
``engine.super_resolve.wish``). Embedders do not come here: their vectors are compared with those of other machines.
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
"""What computes a model as it is. The first one decides what the result is."""
VARIABLE = "FACESTREAM_RUNTIME"
"""Environment variable that names what ``auto`` stands for instead, for whoever wants no measurement and no engine."""
_SECONDS = 0.5
"""For each candidate."""
_PATIENCE_SECONDS = 20.0
"""How long to wait for another process that measures, as one may hang."""


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


def _choice(candidates: Sequence[Candidate], example: Example, file: Path) -> Choice | None:
    """Return what was measured, now or before; None where it cannot be remembered, or the model cannot be run."""
    key = _key(candidates)
    before = _read(file).get(key)
    if before is not None and not _has_room_now(before, candidates, example):
        return before  # also where nothing can be written, as in an image of a container
    with suppress(OSError), _locked(file):  # workers start at the same time, and one is to measure
        known = _read(file)
        if known.get(key) != before:
            return known.get(key)
        if (choice := _measured(candidates, example)) is not None:
            with replacing(file, public=True) as beside:
                beside.write_bytes(msgspec.json.format(msgspec.json.encode({**known, key: choice})))
        return choice
    return before


def _has_room_now(before: Choice, candidates: Sequence[Candidate], example: Example) -> bool:
    """Whether there is memory for a candidate that was refused because there was none: those are asked at each start."""
    short = [name for name, reason in before.refused.items() if is_memory_failure(reason)]
    with ExitStack() as stack:
        sessions, _ = _opened(stack, candidates) if short else ({}, {})
        for name in short:
            with suppress(FacestreamError, KeyError):
                sessions[name].run(example(sessions[name].inputs))
                return True
    return False


def _key(candidates: Sequence[Candidate]) -> str:
    """Return all that a measurement depends on, and every refusal with it: where any of it changes, all are asked again.

    The machine (processor and its instructions, memory, kernel; on a GPU its model and driver), this program, each runtime's
    version, each engine's content, and the model's. Memory that was short at one start is none of it: see ``_has_room_now``.
    """
    first = candidates[0].spec
    ways = (f"{one.name} {one.identity}" for one in candidates)
    gpus = [gpus_here()] if first.device != "cpu" else []
    return " | ".join([machine_here(), *gpus, f"facestream {__version__}", *ways, sha256_of(first.path), first.output])


def _measured(candidates: Sequence[Candidate], example: Example) -> Choice | None:
    with ExitStack() as stack:
        sessions, refused = _opened(stack, candidates)
        if candidates[0].name not in sessions:
            return None  # opening it again says what is wrong
        proven = [one.name for one in candidates if one.is_proven]
        with suppress(FacestreamError):
            choice = measure(sessions, example, _SECONDS, proven=proven)
            return replace(choice, refused=refused | choice.refused)
    return None


def _opened(stack: ExitStack, candidates: Sequence[Candidate]) -> tuple[dict[str, Session], dict[str, str]]:
    """Return the sessions of those that can be opened, and why the others cannot."""
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
        OSError: it cannot be made, or another process holds it for too long.
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
    """Return the version of a package."""
    return installed(package) or "of unknown version"
