"""How a user wants a generator computed, and what can do so here: the model as it is, or an engine built from it.

Decisions never depend on this: they rest on original faces, and embedders and detectors compute in float32. Enhanced pictures
may differ within the limits of the gate, and only if the user has built an engine or asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from engine.contracts.manifest import Manifest
from engine.errors import ConfigError, FacestreamError, ModelError
from engine.models.engine_command import build_command, rebuild_command
from engine.sessions.built_engines import PRECISIONS, BuiltEngine, Shelf, engines_for
from engine.sessions.failures import is_memory_failure
from engine.sessions.fastest import Candidate, named_runtime, open_choice, plain_candidate, remembered, version_here
from engine.sessions.onnxruntime_providers import ON_CUDA, ON_RTX
from engine.sessions.race import Example
from engine.sessions.session import AUTO, COMPILED, Session, SessionSpec
from engine.sessions.tensorrt_api import FLAVOURS
from engine.words.numbers import count

_ANY = "auto"
_LOSSES = ("float32", "float16", "bfloat16", "float8", "int8")
"""In order of preference among those that are equally fast."""
_SHORT: dict[str, str] = {name: short for short, name in PRECISIONS.items()}
_COMPUTES: dict[str, tuple[str, ...]] = {
    "onnxruntime": ("float32", "float16", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
    "ncnn": ("float32",),
    "aotinductor": ("float32", "float16", "bfloat16"),
    ON_CUDA: ("float32", "float16"),
    ON_RTX: ("float32", "float16", "bfloat16"),
}
"""Precisions of the targets that do not support every one."""
_ON_GPUS = (*FLAVOURS, ON_CUDA, ON_RTX, "float8")
"""Runtimes and precisions that need a GPU."""
Warn = Callable[[str], None]


class Wish(Struct, frozen=True):
    """Which runtime and precision are requested; ``auto``: whatever is fastest here."""

    runtime: str = _ANY
    precision: str = _ANY
    folder: Path | None = None
    """Folder of engines; None: no engine is used."""

    def allows(self, runtime: str, precision: str) -> bool:
        """Whether this runtime and precision satisfy the wish."""
        return self.runtime in (_ANY, runtime) and self.precision in (_ANY, precision)


def open_wished(spec: SessionSpec, model: Manifest, wish: Wish, example: Example, warn: Warn) -> Session:
    """Open a model, or an engine built from it. ``Session.runtime`` says what was measured, and what the gate found.

    Args:
        spec: of the model; the wish replaces its ``runtime`` and ``precision``.
        model: its manifest.
        wish: what may be used.
        example: see ``engine.sessions.race``.
        warn: is told, in a sentence, why an existing engine is not used.

    Raises:
        ConfigError: what is requested does not exist; the message says which command makes it.
        ModelError, MissingRuntimeError: see ``open_session``.
    """
    on_gpu = spec.device != "cpu"
    if wish.runtime == _ANY and not on_gpu and (named := named_runtime()):
        wish = Wish(named, "float32") if wish.precision == _ANY else Wish(named, wish.precision, wish.folder)
    computes = _COMPUTES.get(wish.runtime, (wish.precision,))
    if wish.precision not in (_ANY, *computes):
        allowed = ", ".join(computes)
        raise ConfigError(f"super_resolve.precision: {wish.runtime} does not compute in {wish.precision}: use {allowed}")
    for key, value in (("runtime", wish.runtime), ("precision", wish.precision)):
        if value in _ON_GPUS and not on_gpu:
            raise ConfigError(f"super_resolve.{key}: {value} is computed on a GPU: set super_resolve.device to cuda:0")
    shelf = engines_for(spec.path, model, wish.folder, on_gpu=on_gpu) if wish.folder else Shelf()
    said: list[str] = []

    def tell(sentence: str) -> None:
        said.append(sentence)
        warn(sentence)

    for trouble in shelf.troubles:
        tell(f"an engine of {model.name} is not used: {trouble}")
    engines = sorted(_wanted(shelf, wish), key=lambda one: _LOSSES.index(one.precision))
    candidates = _plain(spec, wish, on_gpu) + [_candidate(one, spec) for one in engines]
    if not candidates:
        raise _missing(spec, model, wish, shelf)
    remedies = {one.name: f": run `{rebuild_command(spec.path, model, one.path, for_this_gpu=on_gpu)}`" for one in engines}
    if on_gpu:
        try:
            return _on_gpu(candidates, engines, remedies, example, tell)
        except FacestreamError as error:
            said += _untested(spec, model, wish, shelf)
            if candidates[0].is_proven or not said:
                raise
            raise type(error)(f"{'; '.join(said)}; and without an engine {error}") from error
    if candidates[0].spec.precision != "float32" and engines:
        candidates = candidates[1:]  # an engine of the same runtime and precision has passed the gate
    return _fastest(candidates, engines, remedies, example, warn)


def _fastest(
    candidates: list[Candidate], engines: list[BuiltEngine], remedies: Mapping[str, str], example: Example, warn: Warn
) -> Session:
    session, choice = open_choice(candidates, example)
    if choice is None and len(candidates) > 1:
        warn(
            f"{candidates[0].name} is used, as it cannot be remembered in {remembered().parent} what is fastest: let this user "
            "write there, set XDG_CACHE_HOME to another folder, or name super_resolve.runtime and precision"
        )
    taken = candidates[0].name if choice is None else choice.name
    said = [] if choice is None else [f"{choice}; {choice.times_as_fast:.1f} times {candidates[0].name}"]
    said += [one.gate() for one in engines if one.name == taken]
    for name, reason in (choice.refused if choice else {}).items():
        remedy = "" if is_memory_failure(reason) else remedies.get(name, "")
        warn(f"{name} is not used: {reason}{remedy}")
    session.runtime += f" ({'; '.join(said)})" if said else ""
    return session


def _on_gpu(
    candidates: list[Candidate], engines: list[BuiltEngine], remedies: Mapping[str, str], example: Example, warn: Warn
) -> Session:
    """An engine is preferred to the model as it is, and the fastest engine to the others; what cannot be opened is skipped."""
    left = sorted(candidates, key=lambda one: not one.is_proven)
    while True:
        try:
            return _fastest([one for one in left if one.is_proven] or left, engines, remedies, example, warn)
        except FacestreamError as error:
            if len(left) == 1:
                raise
            remedy = remedies.get(left[0].name, "") if isinstance(error, ModelError) else ""
            warn(f"{left[0].name} is not used: {error}{remedy}")
            left = left[1:]


def _wanted(shelf: Shelf, wish: Wish) -> list[BuiltEngine]:
    """Return the engines that may be used: those that passed the gate and, if one is named, one that was not tested."""
    is_named = _ANY not in (wish.runtime, wish.precision)
    verdicts = ("passed", "not run") if is_named else ("passed",)
    return [
        one
        for one in shelf.engines
        if wish.allows(one.runtime, one.precision)
        and one.manifest.parity.verdict in verdicts
        and not (one.runtime == AUTO and one.precision == "float32")  # that is the model as it is
        and (is_named or one.runtime != "openvino" or one.manifest.key.profile.step_px > 1)  # see ``_plain``
    ]


def _untested(spec: SessionSpec, model: Manifest, wish: Wish, shelf: Shelf) -> list[str]:
    """Return a sentence on the engines that were built on another machine and not compared on this one, if there are any."""
    found = [
        one for one in shelf.engines if wish.allows(one.runtime, one.precision) and one.manifest.parity.verdict == "not run"
    ]
    command = build_command(spec.path, model, wish.folder, verb="check")
    was = "was" if len(found) == 1 else "were"
    return [f"{count(len(found), 'engine')} of {model.name} {was} not compared with it here: run `{command}`"] if found else []


def _plain(spec: SessionSpec, wish: Wish, on_gpu: bool) -> list[Candidate]:
    """Return what computes the model as it is: in float32 or, if requested, OpenVINO in bfloat16."""
    if wish.precision == "bfloat16" and wish.allows("openvino", "bfloat16") and not on_gpu:
        return [Candidate("openvino", replace(spec, runtime="openvino", precision="bfloat16"), version_here("openvino"))]
    if not wish.allows(wish.runtime, "float32") or wish.runtime in COMPILED:
        return []
    # Not OpenVINO unless requested: it is as fast at one size, but each new size of a face costs 40 to 50 ms more.
    return [plain_candidate(spec, AUTO if wish.runtime == _ANY else wish.runtime)]


def _candidate(engine: BuiltEngine, spec: SessionSpec) -> Candidate:
    key = engine.manifest.key
    identity = f"{key.target_version} {engine.manifest.sha256[:12]}"
    return Candidate(engine.name, engine.spec(spec), identity, is_proven=True)


def _missing(spec: SessionSpec, model: Manifest, wish: Wish, shelf: Shelf) -> FacestreamError:
    """Return the error to raise if nothing can do what is requested."""
    asked = " in ".join(part for part in (wish.runtime, wish.precision) if part != _ANY)
    if wish.folder is None:
        return ConfigError(
            f"{model.name} needs an engine for {asked}, and super_resolve.engines is none: give a folder, or auto"
        )
    alike = [one for one in shelf.engines if wish.allows(one.runtime, one.precision)]
    reasons = [f"{one.path.name}: {one.gate()}" for one in alike]
    reasons += [trouble.what for trouble in shelf.troubles if _is_of(trouble.path, wish)]
    reason = (reasons or [f"there is none in {wish.folder}"])[0]
    target, capability = (AUTO, "") if spec.device == "cpu" else ("tensorrt-rtx", "current")
    target = target if wish.runtime == _ANY else wish.runtime
    command = build_command(spec.path, model, wish.folder, target, _SHORT.get(wish.precision, ""), capability=capability)
    return ModelError(f"{model.name} needs an engine for {asked} ({reason}): run `{command}`")


def _is_of(path: Path, wish: Wish) -> bool:
    """Whether the file name of an engine that cannot be read is that of one that is wanted."""
    wanted = (wish.runtime.replace("-", "_"), _SHORT.get(wish.precision, _ANY))
    return all(part == _ANY or part in path.stem.split("-") for part in wanted)
