"""One output of a model: the rest is left out."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from engine.errors import ModelError
from engine.sessions.subgraph import part_for
from tests.onnx_models import doubling_model


@pytest.mark.parametrize(("output", "operation", "weight"), [("y", "Mul", "two"), ("z", "Add", "one")])
def test_only_what_the_output_needs_is_left(output: str, operation: str, weight: str, tmp_path: Path):
    whole = onnx.load_model_from_string(doubling_model())
    path = tmp_path / "doubling.onnx"
    path.write_bytes(doubling_model())
    for model in (doubling_model(), path):
        part = onnx.load_model_from_string(part_for(output, model, "doubling"))
        onnx.checker.check_model(part, full_check=True)
        assert [node.op_type for node in part.graph.node] == [operation]
        assert [one.name for one in part.graph.initializer] == [weight]
        assert (list(part.graph.input), [one.name for one in part.graph.output]) == (list(whole.graph.input), [output])
        assert (part.ir_version, part.opset_import) == (whole.ir_version, whole.opset_import)


def test_an_unknown_output_and_a_damaged_file_are_one_sentence():
    with pytest.raises(ModelError, match="doubling has no output 'w', but y, z: correct output in its manifest"):
        part_for("w", doubling_model(), "doubling")
    with pytest.raises(ModelError, match=r"doubling cannot be loaded: .* damaged"):
        part_for("y", doubling_model()[:-40], "doubling")
    with pytest.raises(ModelError, match="has no output 'y', but none"):
        part_for("y", b"", "doubling")
