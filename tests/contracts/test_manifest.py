"""A manifest and the file that it describes."""

from __future__ import annotations

import json
import os
import time

import pytest

from engine.contracts import manifest as manifests
from engine.contracts.manifest import Manifest, read_manifest, sha256_of, write_manifest
from engine.errors import ModelError


@pytest.fixture
def described(tmp_path, monkeypatch):
    """A manifest whose model lies there for longer than its times are doubted."""
    model = tmp_path / "one.onnx"
    model.write_bytes(b"weights")
    about = Manifest(name="one", kind="detector", file=model.name, sha256=sha256_of(model), licence="MIT", training_data="none")
    write_manifest(about, tmp_path / "one.json")
    now = time.time_ns
    monkeypatch.setattr(manifests.time, "time_ns", lambda: now() + 3 * manifests._SETTLED_NS)
    return tmp_path / "one.json"


def test_a_model_is_hashed_once_while_it_stays_as_it_is(described, monkeypatch):
    hashed = []
    monkeypatch.setattr(manifests, "sha256_of", lambda path: (hashed.append(path), sha256_of(path))[1])
    assert read_manifest(described) == read_manifest(described)
    assert hashed == [described.with_suffix(".onnx")]


def _written_over(model):
    before = model.stat().st_ctime_ns
    while model.stat().st_ctime_ns == before:  # the clock of files ticks every few milliseconds
        model.write_bytes(b"WEIGHTS")


def _with_its_old_time(model):
    before = model.stat()
    _written_over(model)
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced(model):
    other = model.with_name("other")
    other.write_bytes(b"WEIGHTS")
    os.replace(other, model)


def _cut(model):
    model.write_bytes(b"weight")


def _linked_to_another(model):
    other = model.with_name("other")
    other.write_bytes(b"WEIGHTS")
    model.unlink()
    model.symlink_to(other)


@pytest.mark.parametrize("change", [_written_over, _with_its_old_time, _replaced, _cut, _linked_to_another])
def test_a_model_that_has_changed_is_seen(described, change):
    read_manifest(described)
    change(described.with_suffix(".onnx"))
    with pytest.raises(ModelError, match=r"is not the file that one\.json describes"):
        read_manifest(described)


def test_one_that_has_just_been_written_is_hashed_each_time(described, monkeypatch):
    monkeypatch.undo()
    read_manifest(described)
    described.with_suffix(".onnx").write_bytes(b"WEIGHTS")
    with pytest.raises(ModelError, match=r"is not the file that one\.json describes"):
        read_manifest(described)


@pytest.mark.parametrize("name", ["../one.onnx", "/tmp/one.onnx", "", ".", "..", "a\0b", "folder/one.onnx"])
def test_a_model_is_named_by_the_name_of_a_file_beside_it_and_by_no_path(described, name):
    text = described.read_text().replace('"one.onnx"', json.dumps(name))
    described.write_text(text)
    with pytest.raises(ModelError, match=r"is not a model manifest: .* - at `\$\.file`"):
        read_manifest(described)
