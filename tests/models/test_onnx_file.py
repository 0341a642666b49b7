"""ONNX files without the package ``onnx``, which says here whether that is right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto

from engine.errors import ModelError
from engine.models.onnx_file import new_model, read_model
from tests.onnx_models import doubling_model, scrfd_model, yunet_model
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("model", [doubling_model, yunet_model, scrfd_model])
def test_what_no_name_was_given_to_stays_in_the_file(model, tmp_path):
    (tmp_path / "one.onnx").write_bytes(model())
    for file in (model(), tmp_path / "one.onnx"):
        written = read_model(file, "one").SerializeToString()
        assert onnx.load_model_from_string(written) == onnx.load_model_from_string(model())


def may_repeat(field) -> bool:
    """Whether there may be several; each version of protobuf has another name for it but in what it writes."""
    message = DescriptorProto()
    field.containing_type.CopyToProto(message)
    return next(one.label == one.LABEL_REPEATED for one in message.field if one.name == field.name)


def test_names_and_numbers_of_the_schema_are_those_of_onnx():
    ours = [read_model(doubling_model(), "one").DESCRIPTOR]
    theirs, seen = [onnx.ModelProto.DESCRIPTOR], set()
    while ours:
        mine, real = ours.pop(), theirs.pop()
        seen.add(mine.name)
        for field in mine.fields:
            same = real.fields_by_name[field.name]
            assert (field.number, may_repeat(field)) == (same.number, may_repeat(same))
            kinds = (field.type, same.type) if same.enum_type is None else (field.TYPE_INT32, field.type)
            assert len(set(kinds)) == 1, f"{mine.name}.{field.name}"
            if field.message_type is not None and field.message_type.name not in seen:
                ours.append(field.message_type)
                theirs.append(same.message_type)
    assert len(seen) == 12


def test_a_model_that_was_made_here_is_read_by_onnx():
    model = new_model()
    model.graph.node.add(op_type="Relu", input=["x"], output=["y"])
    assert [node.op_type for node in onnx.load_model_from_string(model.SerializeToString()).graph.node] == ["Relu"]


@pytest.mark.parametrize("content", [doubling_model()[:-40], b"\xff" * 40, b"<html>not found</html>", b"PK\x03\x04zip"])
def test_what_is_no_onnx_file_is_one_sentence(content, tmp_path):
    with pytest.raises(ModelError, match="one cannot be loaded: it is not an ONNX file, or it is damaged: check the path"):
        read_model(content, "one")
    with pytest.raises(ModelError, match="cannot read one: Is a directory"):
        read_model(tmp_path, "one")


def test_a_base_install_reads_writes_and_cuts_without_the_package(tmp_path):
    """YuNet at one size, the default embedder, and a generator that shares its file with another."""
    (tmp_path / "face.onnx").write_bytes(yunet_model())
    program = f"""
import sys
sys.modules["onnx"] = None
from pathlib import Path
from engine.config import DetectConfig, SuperResolveConfig
from engine.detect.catalog import open_detector
from engine.models import find_model
from engine.super_resolve.generator import open_generator
open_detector(DetectConfig(detector={str(tmp_path / "face.onnx")!r}), find_model)
open_generator(SuperResolveConfig(generator="rrdn_compact_x4", engines="none"), find_model)
print(find_model("dlib"))
try:
    import trt_build.engines
except Exception as error:
    print(error)
"""
    environment = os.environ | {"FACESTREAM_MODELS": str(tmp_path / "models")}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        check=False,
    )  # fmt: skip
    dlib, engines = done.stdout.splitlines() or pytest.fail(done.stderr)
    assert dlib == str(tmp_path / "models" / "dlib.json")
    assert engines == "What makes engines needs onnx, which is not installed: pip install 'facestream[engines]'."
