"""``facestream doctor``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.cli.setup import doctor, doctor_checks, doctor_gpu, doctor_models
from engine.cli.setup.doctor_checks import CHECKS, findings
from engine.contracts.engine_manifest import EngineParity
from engine.contracts.gallery import GalleryPlace
from engine.errors import ConfigError, MissingRuntimeError, ModelError
from engine.sessions import built_engines, openvino_session
from engine.sessions.built_engines import BuiltEngine
from engine.sessions.tensorrt_api import FLAVOURS
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.cli.command import here


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("FACESTREAM_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HOME", str(tmp_path))


def test_it_looks_at_everything_and_really_detects(capsys):
    shown = here(capsys, "doctor", "--json")
    report = json.loads(shown.out)
    assert (shown.code, report["works"]) == (0, True)
    assert [*dict.fromkeys(finding["subject"] for finding in report["findings"])] == [*CHECKS, "test"]
    sentences = {finding["subject"]: finding["sentence"] for finding in report["findings"]}
    assert re.match(r"grey found the face on a photograph of one person in ", sentences["test"])
    promise = r"in 95 of 100 galleries at most 1 in 1,000 strangers get a name; .* faces below \d+ px are too small to name"
    assert re.match(promise, sentences["names"])
    assert "gallery.sqlite will be made" in sentences["gallery"]
    assert sentences["runtimes"] == "the runtime auto is onnxruntime"
    assert re.search(r" on onnxruntime \S+ CPUExecutionProvider float32, 128 values", sentences["embedder"])
    [command] = re.findall("`facestream ([^`]+)`", sentences["embedder"])
    shown = here(capsys, *command.split())
    assert (shown.code, "CC0-1.0" in shown.out) == (0, True), "what it names can be typed as it stands"
    assert re.match(
        "compact_fine_x4 has no engine for this CPU: `trt-build tune` makes those that may be faster here",
        sentences["generator"],
    )
    assert all(finding["sentence"] and "\n" not in finding["sentence"] for finding in report["findings"])


@pytest.mark.parametrize(("found", "said", "code"), [(1, "the face", 0), (0, "0 faces", 1), (2, "2 faces", 1)])
def test_what_is_not_found_is_not_well(capsys, monkeypatch, found, said, code):
    """Four of six people on an easy photograph were "ok"."""
    finder = SimpleNamespace(name="grey", detect=lambda pictures: [range(found)], close=lambda: None)
    monkeypatch.setattr("engine.detect.catalog.open_detector", lambda *_: finder)
    monkeypatch.setattr(doctor, "findings", lambda _: iter(()))
    shown = here(capsys, "doctor")
    assert shown.code == code
    assert shown.out.startswith("broken" if code else "ok")
    assert f"found {said} on a photograph of one person" in shown.out


def missing():
    raise MissingRuntimeError("OpenVINO is not installed: pip")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda: True, r"ok +runtimes +OpenVINO \S* ?computes in float32, and bfloat16 where asked to"),
        (lambda: False, r"ok +runtimes +OpenVINO \S* ?computes in float32: this CPU has no bfloat16"),
        (missing, r"optional +runtimes +OpenVINO is not installed: pip; only that runtime and its engines need it"),
    ],
)
def test_precisions_of_openvino_are_told(capsys, monkeypatch, answer, told):
    monkeypatch.setattr(doctor_checks, "CHECKS", {"runtimes": doctor_checks._runtimes})
    monkeypatch.setattr(openvino_session, "computes_in_bfloat16", answer)
    assert re.search(told, here(capsys, "doctor").out)


def test_a_gallery_of_an_earlier_version_is_told_of(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with Gallery(tmp_path / "facestream" / "gallery.sqlite") as gallery:
        vector = np.eye(4, dtype=np.float32)[0]
        gallery.add(
            "ada", vector, embedder="dlib", embedder_sha256="s", runtime="", source_name="", picture_sha256="p", quality=1
        )
    monkeypatch.setattr(doctor_checks, "CHECKS", {"gallery": doctor_checks.say_gallery})
    assert [(finding.state, finding.sentence.split(":")[0]) for finding in findings(GalleryPlace())] == [
        ("ok", f"the gallery {tmp_path / 'facestream' / 'gallery.sqlite'} holds 1 person"),
        ("optional", "ada"),
    ]


def test_what_is_broken_makes_it_1_and_is_said(capsys, monkeypatch):
    def broken():
        raise ModelError("the generator is gone")
        yield

    def unimportable():
        raise ImportError("no libstuff.so")
        yield

    monkeypatch.setattr(doctor_checks, "CHECKS", {"generator": broken, "FFmpeg": unimportable})
    shown = here(capsys, "doctor")
    assert shown.code == 1
    assert "broken   generator   the generator is gone" in shown.out
    assert "broken   FFmpeg      ImportError: no libstuff.so" in shown.out
    assert "The main job cannot run" in shown.out


def test_what_is_only_missing_does_not(capsys, monkeypatch):
    monkeypatch.setattr(doctor_checks, "CHECKS", {"GPU": doctor_checks._gpu})
    monkeypatch.setattr(doctor_checks.shutil, "which", lambda name: None)
    shown = here(capsys, "doctor")
    assert shown.code == 0
    assert "optional GPU         no NVIDIA GPU found: there is no nvidia-smi on the PATH" in shown.out
    assert "The main job can run." in shown.out


def test_a_gallery_that_is_no_gallery_is_broken(tmp_path, monkeypatch):
    (tmp_path / "facestream").mkdir()
    (tmp_path / "facestream" / "gallery.sqlite").write_bytes(
        b"this is not a database, and it is long enough to be looked at" * 20
    )
    monkeypatch.setattr(doctor_checks, "CHECKS", {"gallery": doctor_checks.say_gallery})
    (finding,) = findings(GalleryPlace())
    assert finding.state == "broken"
    assert "gallery.sqlite" in finding.sentence


def test_a_gpu_tool_that_fails_is_quoted(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed' >&2\nexit 9\n")
    tool.chmod(0o755)
    monkeypatch.setattr(doctor_checks.shutil, "which", lambda name: str(tool))
    assert ("optional", "no NVIDIA GPU found: nvidia-smi answers NVIDIA-SMI has failed") in list(doctor_checks._gpu())


def without(*absent):
    """What loads either package of TensorRT, as far as they are there."""

    def load(target):
        if target in absent:
            raise MissingRuntimeError(f"{target} is not installed: pip install 'facestream[x]' (no module)")
        return SimpleNamespace(flavour=FLAVOURS[target], version="1.2")

    return load


def no_driver(device, extra):
    raise MissingRuntimeError("there is no NVIDIA driver here")


@pytest.mark.parametrize(
    ("absent", "cuda", "told"),
    [
        (["tensorrt-rtx", "tensorrt"], None, ["tensorrt-rtx is not installed: pip install 'facestream[x]' (no module); only"]),
        (["tensorrt"], None, ["TensorRT-RTX 1.2 is installed, builds engines and computes them on cuda:0"]),
        (["tensorrt-rtx"], None, ["TensorRT 1.2 is installed, builds engines and computes them on cuda:0"]),
        (
            ["tensorrt"],
            no_driver,
            ["TensorRT-RTX 1.2 is installed, builds engines, and computes none here: there is no NVIDIA"],
        ),
        (
            ["tensorrt-rtx"],
            no_driver,
            ["TensorRT 1.2 is installed, neither builds engines nor computes here: there is no NVIDIA"],
        ),
        ([], None, ["TensorRT-RTX 1.2 is installed, builds", "TensorRT 1.2 is installed, builds"]),
    ],
)
def test_what_tensorrt_can_do_here_is_said_of_each_package(monkeypatch, absent, cuda, told):
    """It used to say of one package alone whether it was installed, and that was not the one that is recommended."""
    monkeypatch.setattr(doctor_gpu, "tensorrt", without(*absent))
    monkeypatch.setattr(doctor_gpu, "Cuda", cuda or (lambda device, extra: None))
    said = list(doctor_gpu.say_tensorrt())
    assert len(said) == len(told)
    assert all(sentence.startswith(start) for (_, sentence), start in zip(said, told, strict=True)), said
    assert {state for state, _ in said} == {"optional" if cuda or len(absent) == 2 else "ok"}


@pytest.mark.parametrize("error", [None, MissingRuntimeError("it has no CUDA: run this"), ConfigError("no cuda:0")])
def test_onnx_runtimes_providers_for_a_gpu_are_said(monkeypatch, error):
    def found(runtime, device):
        if error:
            raise error

    monkeypatch.setattr(doctor_gpu, "provider_for", found)
    said = list(doctor_gpu.say_providers())
    if error is None:
        assert said == [("ok", f"ONNX Runtime has its provider of {what}") for what in ("CUDA", "TensorRT-RTX")]
    else:
        assert [state for state, _ in said] == ["optional"] * 2
        assert all(sentence.startswith(f"{error}; only `device: cuda:0`") for _, sentence in said)


def test_a_gate_of_few_faces_is_said_once(monkeypatch):
    def engine(verdict, faces):
        parity = EngineParity(verdict=verdict, faces=faces, note="" if faces == 200 else f"{faces} faces: not a full gate")
        manifest = SimpleNamespace(parity=parity, usable_by_auto=verdict == "passed", key=SimpleNamespace(precision="int8"))
        return BuiltEngine(Path("x.onnx"), manifest)

    def said(*engines):
        monkeypatch.setattr(built_engines, "engines_for", lambda *given, on_gpu: built_engines.Shelf(engines))
        return [sentence for _, sentence in doctor_models.say_engines("compact_fine_x4") if "auto may take" in sentence]

    (once,) = said(engine("passed", 7), engine("passed", 7), engine("passed", 200))
    assert "passed their gate on 7 faces: not a full gate: `trt-build check compact_fine_x4 --faces FOLDER`" in once
    assert said(engine("passed", 200), engine("failed", 7)) == said() == []
