"""The interface of generators, which enlarge faces, and how one is chosen by name.

A generator takes either luma or colour, as its ``colour`` says; the enhancer prepares the pictures. Everything else about a
network (sizes, ranges, layout, channel order, batches) stays inside the generator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Literal, Protocol

from engine.config import SuperResolveConfig
from engine.contracts.frames import Uint8
from engine.contracts.profile import Profile
from engine.errors import ConfigError, MissingRuntimeError, ModelError
from engine.models.catalog import engines_dir
from engine.sessions.session import SessionSpec
from engine.super_resolve.interpolation import INTERPOLATIONS, Interpolation
from engine.super_resolve.manifest_generator import ManifestGenerator
from engine.super_resolve.wish import Warn, Wish

PLUGINS = "facestream.generators"
"""Group of entry points by which other packages add generators: name = callable without arguments that returns one."""
FindModel = Callable[[str], Path | None]
"""Returns the manifest (``NAME.json``) of a named model; None if there is none."""


class Generator(Protocol):
    """Enlarges pictures ``scale`` times. ``upscale`` may be called from several threads. A generator cannot be sent to another
    process.
    """

    name: str
    sha256: str
    """SHA-256 of the model file; empty if there is none."""
    licence: str
    runtime: str
    """Runtime, version, device and precision that runs it."""
    scale: int
    colour: Literal["luma", "bgr"]
    """What ``upscale`` takes and returns: (h, w) luma or (h, w, 3) BGR."""
    profile: Profile
    """Number of pictures that is best given at a time; on a CPU it is 1."""

    def upscale(self, pictures: Sequence[Uint8], /) -> list[Uint8]:
        """Return each picture at ``scale`` times its height and width, uint8 0 to 255, in the order given.

        The pictures may differ in size.

        Raises:
            InferenceError: the network fails, or returns what is not a picture.
        """
        ...

    def close(self) -> None:
        """Free the model; ``upscale`` must not be called after it."""
        ...


def open_generator(
    config: SuperResolveConfig, find_model: FindModel, threads: int = 1, warn: Warn = lambda sentence: None
) -> Generator:
    """Open the generator that the configuration names.

    ``bicubic``, ``lanczos`` and ``none`` need no model file. A name that ends in ``.json`` or ``.onnx`` is the path of a
    manifest, or of a model whose manifest is beside it; any other name is looked up among the models and then among the entry
    points ``PLUGINS``.

    Args:
        config: ``generator``, ``runtime``, ``precision``, ``engines`` and ``device`` are read.
        find_model: finds a model by its name.
        threads: compute threads of one run.
        warn: is told, in a sentence, why an existing engine is not used.

    Raises:
        ModelError: the model or its manifest is missing, corrupt or not a generator, or does not do what its manifest says.
        MissingRuntimeError: the runtime is not installed.
        ConfigError: neither it nor an engine can compute in the requested precision.
    """
    name = config.generator
    if name in INTERPOLATIONS:
        _check_plain(config)
        return Interpolation(name)
    path = _find_generator(name, find_model)
    if not isinstance(path, Path):
        _check_plain(config)
        return _from_plugin(path)
    wish = Wish(config.runtime, config.precision, _engines(config.engines))
    return ManifestGenerator(SessionSpec(path, device=config.device, threads=threads), wish, warn)


def _find_generator(name: str, find_model: FindModel) -> Path | EntryPoint:
    """Return what a name other than an interpolation's stands for; cheap, nothing is opened.

    Raises:
        ModelError: the name stands for nothing.
    """
    path = Path(name).expanduser() if name.endswith((".json", ".onnx")) else find_model(name)
    found = path or next(iter(entry_points(group=PLUGINS, name=name)), None)
    if found is None:
        raise ModelError(
            f"there is no generator named {name!r}: use {', '.join(INTERPOLATIONS)}, the path of a manifest or ONNX file, "
            "or a name that `facestream models list` shows"
        )
    return found


def check_generator(config: SuperResolveConfig, find_model: FindModel) -> None:
    """Refuse a name that stands for no generator; cheap, nothing is opened.

    Raises:
        ModelError: see ``open_generator``.
    """
    if config.generator not in INTERPOLATIONS:
        _find_generator(config.generator, find_model)


def _engines(named: str) -> Path | None:
    """Return the folder of engines.

    Raises:
        ConfigError: a folder is named and does not exist.
    """
    if named in ("auto", "none"):
        return engines_dir() if named == "auto" else None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ConfigError(
            f"super_resolve.engines: there is no folder {folder}: use auto, none, or the --out of `trt-build build`"
        )
    return folder


def _check_plain(config: SuperResolveConfig) -> None:
    """Refuse a precision or device for a generator that none of our runtimes computes."""
    if config.precision not in ("auto", "float32"):
        raise ConfigError(f"super_resolve.precision: {config.generator} cannot be computed in {config.precision}: use float32")
    if config.device != "cpu":
        raise ConfigError(f"super_resolve.device: {config.generator} cannot be computed on {config.device}: use cpu")


def _from_plugin(plugin: EntryPoint) -> Generator:
    try:
        generator: Generator = plugin.load()()
    except ImportError as error:
        raise MissingRuntimeError(
            f"the generator {plugin.name} needs {error.name}: run `pip install 'facestream[train]'`"
        ) from error
    return generator
