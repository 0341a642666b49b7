"""The command that makes an engine anew, where only its file name is left."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from engine.contracts.engine_manifest import Target
from engine.contracts.manifest import read_manifest
from engine.models import find_model
from engine.models.engine_command import rebuild_command


@pytest.mark.parametrize("target", get_args(Target))
def test_every_target_is_read_out_of_a_name(target: str, tmp_path: Path):
    """`onnxruntime-tensorrt-rtx` holds the names of two others."""
    path = find_model("compact_fine_x4")
    assert path is not None
    engine = tmp_path / f"compact_fine_x4-{target.replace('-', '_')}-sm89-fp16-uint8.engine"
    command = rebuild_command(path, read_manifest(path), engine)
    assert f"compact_fine_x4 --target {target} --precision fp16 --compute-capability 8.9 --out" in command
