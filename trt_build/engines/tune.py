"""Builds and compares the engines of a generator that may be faster on this CPU, and reports which one is used."""

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
"""Targets and precisions that were faster than ONNX Runtime in float32 on some processor."""


@dataclass(frozen=True)
class Tuned:
    """One engine."""

    path: Path
    manifest: EngineManifest | None
    """None if it cannot be built here."""
    trouble: str
    is_unwritten: bool = False
    """Whether it could not be written; then further engines cannot be written either."""


def check_is_generator(described: Manifest) -> None:
    """Refuse other models: embedders and detectors compute in float32.

    Raises:
        UsageError: it is not a generator.
    """
    if described.kind != "generator":
        raise UsageError(
            f"{described.name} is not a generator but of the kind {described.kind}, which is computed as it is, since "
            "decisions rest on it"
        )


def tune(model: Path, described: Manifest, shop: Workshop, calibration: Path | None = None) -> Iterator[Tuned]:
    """Build each missing engine, one after the other, until one cannot be written.

    Args:
        model: path of a generator's manifest, see ``check_is_generator``.
        described: its content.
        shop: folder of the engines.
        calibration: faces for int8; None: the training faces.
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
        except FacestreamError as error:  # the other engines may still succeed
            yield Tuned(shop.path_of(order), None, str(error))


def taken(model: Path, folder: Path, warn: Warn) -> str:
    """Return, in words, which of these engines `facestream run` uses here, by measurement."""
    with closing(ManifestGenerator(SessionSpec(model), Wish(folder=folder), warn)) as generator:
        return generator.runtime
