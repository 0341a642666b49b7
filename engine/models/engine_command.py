"""The command that makes an engine: whoever says that one is missing or wrong says this, too."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import msgspec

from engine.contracts.engine_manifest import EngineKey, EnginePrecision, Profile, Target, engine_manifest_path
from engine.contracts.manifest import Manifest
from engine.contracts.unreadable import UNREADABLE
from engine.models.catalog import engines_dir, find_model


def build_command(
    model: Path,
    described: Manifest,
    folder: Path | None,
    target: str = "",
    precision: str = "",
    *,
    profile: Profile | None = None,
    capability: str = "",
    pixels: str = "",
    calibration: Path | None = None,
    verb: str = "build",
) -> str:
    """Return the command; what is not given is left to its defaults.

    Args:
        model: the model's file, or its manifest.
        described: what the manifest says.
        folder: of engines.
        target, precision, profile, capability, pixels, calibration: of the engine.
        verb: of `trt-build`, if it is not to build but to do something else with a model's engines.
    """
    sizes = profile.sizes_px if profile and not described.input_size_px else ()
    options = {
        "--target": target,
        "--precision": precision,
        "--sizes": "..".join(map(str, sizes)),
        "--batch": ",".join(map(str, profile.batch)) if profile else "",
        "--compute-capability": capability or ("cpu" if target == "aotinductor" else ""),
        "--pixels": pixels,
        "--calibration": str(calibration or ""),
        "--out": "" if folder in (None, engines_dir()) else str(folder),
    }
    given = [word for option, value in options.items() if value for word in (option, value)]
    return shlex.join(["trt-build", verb, name_of(model, described), *given])


def rebuild_command(model: Path, described: Manifest, engine: Path, *, for_this_gpu: bool = False) -> str:
    """Return the command that makes an engine file anew: by its manifest or, where nobody can read that, by its name.

    Args:
        model: the model's file, or its manifest.
        described: what the manifest says.
        engine: the file.
        for_this_gpu: make one for the GPU of this machine, whichever the file is for.
    """
    try:
        key = msgspec.json.decode(engine_manifest_path(engine).read_bytes(), type=_Keyed).key
    except (OSError, *UNREADABLE):
        parts = engine.stem.replace("_", "-").split("-")
        named = (name for name in get_args(Target) if name in engine.stem.replace("_", "-"))
        target = max(named, key=len, default="")  # some hold others' names
        precision = next((name for name in get_args(EnginePrecision) if name in parts), "")
        capability = next((f"{part[2:-1]}.{part[-1]}" for part in parts if re.fullmatch(r"sm\d{2,}", part)), "")
        return build_command(model, described, engine.parent, target, precision, capability=capability)
    pixels = key.pixels if key.compute_capability or key.pixels == "uint8" else ""
    return build_command(
        model,
        described,
        engine.parent,
        key.target,
        key.precision,
        profile=key.profile,
        capability="current" if for_this_gpu else key.compute_capability,
        pixels=pixels,
    )


def name_of(model: Path, described: Manifest) -> str:
    """Return what the command line calls a model: its name, or its file where the name is another's or nobody's."""
    found = find_model(described.name)
    is_it = found is not None and model in (found, found.with_name(described.file))
    return described.name if is_it else str(model)


class _Keyed(msgspec.Struct):
    """What a manifest says, as far as it matters here; the rest of it may be wrong."""

    key: EngineKey
