"""A generator, and a folder of engines of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np

from engine.contracts.engine_manifest import (
    EngineKey,
    EngineManifest,
    EngineParity,
    Profile,
    engine_manifest_path,
)
from engine.contracts.manifest import read_manifest, sha256_of
from engine.sessions.built_engines import version_of
from engine.sessions.processor import processor_here
from engine.sessions.session import SessionSpec
from engine.super_resolve.manifest_generator import ManifestGenerator
from engine.super_resolve.wish import Wish

PASSED = EngineParity(
    verdict="passed",
    faces=200,
    figures={"psnr_lost_db": 0.066, "cosine_moved": 0.0018, "more": 1.0},
    limits={"psnr_lost_db": 0.1, "cosine_moved": 0.002},
)
FAILED = EngineParity(verdict="failed", reason="psnr lost db 0.31 for at most 0.1")


@dataclass
class Bench:
    """A generator, a folder of engines of it, and what was said."""

    model: Path
    folder: Path
    measured: Path
    said: list[str] = field(default_factory=list)

    def add(self, target="onnxruntime", precision="int8", parity=PASSED, **key) -> Path:
        """Put an engine there: the model itself, which is enough to be opened and compared."""
        described = read_manifest(self.model)
        self.folder.mkdir(exist_ok=True)
        suffix = ".ncnn" if target == "ncnn" else ".onnx"
        path = self.folder / f"{described.name}-{target}-{precision}{suffix}"
        shutil.copy(self.model.with_suffix(".onnx"), path)
        known = {
            "model_sha256": described.sha256,
            "processor": processor_here(),
            "target_version": version_of(target),
            "profile": Profile((16, 96), (1, 8, 64)),
        }
        manifest = EngineManifest(
            name=described.name,
            kind="generator",
            key=EngineKey(target=target, precision=precision, **{**known, **key}),
            file=path.name,
            sha256=sha256_of(path),
            size_bytes=path.stat().st_size,
            licence="Apache-2.0",
            inputs=(),
            outputs=(),
            seconds=1.0,
            made_at="2026-11-28T00:00:00+00:00",
            parity=parity,
        )
        engine_manifest_path(path).write_bytes(msgspec.json.encode(manifest))
        return path

    def runtime(self, runtime="auto", precision="auto", device="cpu") -> str:
        """Open the generator, enlarge, and return what computed it."""
        generator = ManifestGenerator(
            SessionSpec(self.model, device=device), Wish(runtime, precision, self.folder), self.said.append
        )
        (enlarged,) = generator.upscale([np.full((9, 12), 128, np.uint8)])
        assert enlarged.shape == (18, 24)
        generator.close()
        return generator.runtime
