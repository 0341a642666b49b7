"""TensorRT and TensorRT-RTX: one interface in two packages. Every call to either goes through this module."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from engine.errors import MissingRuntimeError, ModelError
from engine.sessions.cuda_api import NO_DRIVER

Fitness = Literal["fits", "unfit", "lacking", "unknown"]
"""``unfit``: another engine is needed; ``lacking``: the machine lacks something, so rebuilding the engine would not help."""


@dataclass(frozen=True, slots=True)
class Flavour:
    """What differs between the two."""

    name: str
    module: str
    """Name of the module to import."""
    extra: str
    """Our extra that installs it."""
    capabilities: tuple[str, ...]
    """Compute capabilities that it can build for; none: it builds only for the GPU of this machine."""
    judges_engines: bool
    """Whether ``Runtime.get_engine_validity`` says if an engine can run here."""
    compiles_at_run: bool
    """Whether it compiles kernels for the GPU when an engine is first used, and has settings for that."""
    note: str


FLAVOURS: dict[str, Flavour] = {
    "tensorrt-rtx": Flavour(
        "TensorRT-RTX", "tensorrt_rtx", "trt-rtx", ("7.5", "8.0", "8.6", "8.9", "12.0", "12.1"), True, True,
        "builds for any of its GPUs, also on a machine without one; not for 9.0 and 10.0 (H100, H200, B200), which `--target "
        "aotinductor` and `--target tensorrt` are for",
    ),
    "tensorrt": Flavour(
        "TensorRT", "tensorrt", "trt", (), False, False, "builds on the GPU that the engine is for, and times kernels on it"
    ),
}  # fmt: skip

_DRIVER = "cudaError 35"
_PLACE = re.compile(r"^(\[[^]]*\]\s*)?(\w+::\w+:\s*)?(Error Code \d+:\s*)?")
_FOREIGN = "has been created with TensorRT"
_UNFIT = {
    "VERSION_MISMATCH": "it was made by another version",
    "UNSUPPORTED_CC": "it was made for another compute capability than this GPU's",
    "MALFORMED_ENGINE": "it is damaged, or no engine",
}
_LACKING = {
    "OLD_CUDA_DRIVER": "the NVIDIA driver here is too old for it: update the driver",
    "OLD_CUDA_RUNTIME": "the CUDA runtime here is too old for it: update cuda-bindings",
    "INSUFFICIENT_GPU_MEMORY": "it needs more memory than this GPU has: build it with smaller --sizes or --batch",
    "CUDA_ERROR": "the GPU does not answer: see what nvidia-smi says",
}


class TensorRT:
    """One of the two packages, imported."""

    def __init__(self, target: str) -> None:
        """Import the package.

        Raises:
            MissingRuntimeError: it is not installed, or its libraries are missing.
        """
        self.flavour = FLAVOURS[target]
        try:
            self.api: Any = importlib.import_module(self.flavour.module)
        except (ImportError, OSError) as error:
            brief = (str(error).splitlines() or [""])[0]
            raise MissingRuntimeError(
                f"{self.flavour.name} is not installed: pip install 'facestream[{self.flavour.extra}]' ({brief})"
            ) from error
        self.version: str = self.api.__version__
        self.log = _logger(self.api)

    def capability(self, name: str) -> Any:
        """Return the enumeration value of a compute capability, such as ``SM89`` for ``8.9``."""
        return getattr(self.api.ComputeCapability, f"SM{name.replace('.', '')}")

    def fitness(self, engine: bytes) -> tuple[Fitness, str]:
        """Return whether an engine can run here, and if not, why.

        Without a driver the result may be ``unknown``: only a file that is not an engine, or an engine of another version, is
        still recognised.
        """
        if not self.flavour.judges_engines:
            return "unknown", f"{self.flavour.name} judges engines only by loading them"
        self.log.begin()
        validity, found = self.api.Runtime(self.log).get_engine_validity(engine)
        if validity == self.api.EngineValidity.VALID:
            return "fits", ""
        if validity == self.api.EngineValidity.SUBOPTIMAL:
            return "fits", "it runs here, but another one would be faster: build it for this GPU"
        if said := next((line for line in self.log.lines if _FOREIGN in line), ""):
            return "unfit", f"it was made by {_version_in(said)}, here is {self.flavour.name} {self.version}"
        flags = self.api.EngineInvalidityDiagnostics.__members__
        named = [name for name, flag in flags.items() if int(found) & int(flag)]
        if named:
            told = "; ".join((_UNFIT | _LACKING).get(name, name) for name in named)
            return "lacking" if _LACKING.keys() >= set(named) else "unfit", told
        if self.without_driver():
            return "unknown", f"{NO_DRIVER}, so that nobody can say whether it runs"
        return "unfit", self.log.first()

    def check(self, engine: bytes, name: str) -> None:
        """Refuse an engine that cannot run here, as far as can be told without loading it.

        Raises:
            ModelError: another one is needed; the message says why.
            MissingRuntimeError: this machine lacks what it needs.
        """
        fitness, reason = self.fitness(engine)
        if fitness in ("unfit", "lacking"):
            kind = ModelError if fitness == "unfit" else MissingRuntimeError
            raise kind(f"the engine {name} cannot run: {reason}")

    def deserialize(self, engine: bytes, name: str) -> Any:
        """Load an engine onto the GPU.

        Raises:
            ModelError, MissingRuntimeError: see ``check``.
        """
        self.check(engine, name)
        self.log.begin()
        loaded = self.api.Runtime(self.log).deserialize_cuda_engine(engine)
        if loaded is None:
            refused = f"the engine {name} cannot be loaded by {self.flavour.name} {self.version}"
            if self.without_driver():
                raise MissingRuntimeError(f"{refused}: {NO_DRIVER}: install one, or use another runtime")
            raise ModelError(f"{refused}: {self.log.first()}")
        return loaded

    def context(self, engine: Any, name: str, how: Any) -> Any:
        """Return an execution context of an engine.

        Args:
            engine: from ``deserialize``.
            name: its name in messages.
            how: a runtime configuration, or how it gets its memory.

        Raises:
            ModelError: it cannot be created, for instance because the GPU has too little memory.
        """
        self.log.begin()
        context = engine.create_execution_context(how)
        if context is None:
            raise ModelError(f"the engine {name} cannot be loaded by {self.flavour.name} {self.version}: {self.log.first()}")
        return context

    def without_driver(self) -> bool:
        """Whether the last call failed because there is no driver, or one that is too old."""
        return any(_DRIVER in line for line in self.log.lines)


@cache
def tensorrt(target: str) -> TensorRT:
    """Return the package of a target, loaded once; see ``TensorRT``."""
    return TensorRT(target)


def _logger(api: Any) -> Any:
    """Return a logger that keeps messages instead of writing them to standard output."""

    class Log(api.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            api.ILogger.__init__(self)
            self.lines: list[str] = []
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity <= api.ILogger.INFO:
                self.lines.append(message)
            if severity <= api.ILogger.ERROR and _DRIVER not in message:
                self.errors.append(message)

        def first(self) -> str:
            """The first error other than the missing driver, as one line without its source location."""
            said = [*self.errors, *self.lines, "no reason given"][0].splitlines()[0]
            return _PLACE.sub("", said.partition(" In ")[0].strip()).rstrip(".(")[:300]

        def begin(self) -> None:
            self.lines.clear()
            self.errors.clear()

    return Log()


def _version_in(said: str) -> str:
    """Return for instance ``TensorRT-RTX 2.7.1`` from a sentence whose numbers are single bytes."""
    words = said.partition("version ")[2].partition(",")[0]
    # The byte 0 ends a text.
    numbers = [str(ord(part)) if len(part) == 1 and not part.isdigit() else part or "0" for part in words.split(".")]
    return f"TensorRT-RTX {'.'.join(numbers)}"
