"""The engines of a generator that may be faster on this CPU, made and compared, and which of them is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from engine.contracts.engine_manifest import EngineManifest, EnginePrecision, Target
from engine.contracts.manifest import Manifest
from engine.errors import FacestreamError, UsageError
from engine.sessions.openvino_session import computes_in_bfloat16
from engine.sessions.session import SessionSpec
from engine.super_resolve.manifest_generator import ManifestGenerator
from engine.super_resolve.wish import Warn, Wish
from trt_build.engines.build import Workshop, build
from trt_build.engines.targets import Order, profile_on, target_of
from trt_build.errors import WriteError

ENGINES: tuple[tuple[Target, EnginePrecision], ...] = (
    ("openvino", "bf16"),
    ("openvino", "int8"),
    ("onnxruntime", "int8"),
    ("ncnn", "fp32"),
)
"""What was faster than ONNX Runtime in float32 on one processor or another."""


@dataclass(frozen=True)
class Tuned:
    """One engine."""

    path: Path
    manifest: EngineManifest | None
    """None where it cannot be made here."""
    trouble: str
    is_unwritten: bool = False
    """There was no place to write it, nor is there for what comes after it."""


def check_is_generator(described: Manifest) -> None:
    """Refuse another model: embedders and detectors compute in float32.

    Raises:
        UsageError: it is none.
    """
    if described.kind != "generator":
        raise UsageError(
            f"{described.name} is not a generator but of the kind {described.kind}, which is computed as it is, since "
            "decisions rest on it"
        )


def tune(model: Path, described: Manifest, shop: Workshop, calibration: Path | None = None) -> Iterator[Tuned]:
    """Make each engine that is not there, one after the other, up to the first for which there is no place.

    Args:
        model: the manifest of a generator, see ``check_is_generator``.
        described: what it says.
        shop: where the engines lie.
        calibration: faces for int8; None: those of the training.
    """
    for target, precision in ENGINES:
        given = calibration if precision == "int8" else None
        spec = target_of(target, precision, "generator")
        order = Order(model, described, spec, precision, profile_on(spec, model, described), "", given)
        try:
            if precision == "bf16" and not computes_in_bfloat16():
                yield Tuned(shop.path_of(order), None, "this CPU has no bfloat16")
                continue
            manifest = build(order, shop).manifest
            failed = manifest.parity.verdict == "failed"
            yield Tuned(shop.path_of(order), manifest, f"fails the gate: {manifest.parity.reason}" if failed else "")
        except WriteError as error:
            yield Tuned(shop.path_of(order), None, str(error), is_unwritten=True)
            return
        except FacestreamError as error:  # the others may succeed
            yield Tuned(shop.path_of(order), None, str(error))


def taken(model: Path, folder: Path, warn: Warn) -> str:
    """Return what `facestream run` takes of these engines here, measured, in words."""
    with closing(ManifestGenerator(SessionSpec(model), Wish(folder=folder), warn)) as generator:
        return generator.runtime
