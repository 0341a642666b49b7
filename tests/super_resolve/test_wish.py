"""Engines in a folder, and what is taken of them: by `auto`, and by whoever asks for one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from engine.config import SuperResolveConfig
from engine.contracts import engine_manifest
from engine.contracts.engine_manifest import (
    EngineParity,
    Profile,
    engine_manifest_path,
    read_engine_manifest,
)
from engine.errors import ConfigError, FacestreamError, ModelError
from engine.sessions.built_engines import version_of
from engine.sessions.fastest import VARIABLE
from engine.super_resolve.generator import open_generator
from tests.sessions.processors import need
from tests.super_resolve.engine_bench import FAILED, PASSED, Bench


def test_without_engines_the_model_is_computed_as_it_is(bench: Bench):
    assert (
        bench.runtime()
        == bench.runtime("onnxruntime", "float32")
        == f"onnxruntime {version_of('onnxruntime')} CPUExecutionProvider float32"
    )
    assert bench.said == []


def test_the_fastest_that_passed_is_taken_and_said(bench: Bench, last_wins: None):
    bench.add()
    assert bench.runtime() == (
        f"onnxruntime {version_of('onnxruntime')} CPUExecutionProvider int8 (auto: onnxruntime 10 ms, onnxruntime int8 2 ms; "
        "5.0 times onnxruntime; gate passed on 200 faces: psnr lost db 0.066, cosine moved 0.0018)"
    )
    assert "float32" in bench.runtime(precision="float32"), "whoever asks for float32 gets no other"
    assert bench.said == []


def test_auto_takes_openvino_only_where_pictures_are_padded(bench: Bench, last_wins: None):
    """A race at one size does not see what each new size costs it."""
    need("openvino")
    bench.add("openvino")
    assert bench.runtime().startswith("onnxruntime")
    assert bench.runtime("openvino", "int8").startswith("openvino")
    bench.add("openvino", profile=Profile((8, 160), (1, 8, 64), 8))
    assert bench.runtime().startswith("openvino")


@pytest.mark.parametrize("parity", [FAILED, EngineParity(verdict="not run", reason="no GPU")], ids=["failed", "not run"])
def test_auto_takes_nothing_that_did_not_pass(bench: Bench, last_wins: None, parity: EngineParity):
    bench.add(parity=parity)
    assert bench.runtime().endswith("CPUExecutionProvider float32")


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def forge(**changes: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        manifest = read_engine_manifest(path)
        changed = msgspec.structs.replace(manifest, key=msgspec.structs.replace(manifest.key, **changes))
        engine_manifest_path(path).write_bytes(msgspec.json.encode(changed))

    return change


WRONG = {
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:100]), "is cut off after 100 of"),
    "flipped": (flip, "is damaged, or it is another one"),
    "gone": (lambda path: path.unlink(), "describes an engine which is not beside it"),
    "no manifest": (lambda path: engine_manifest_path(path).write_text("{"), "is not an engine manifest"),
    "of another version": (forge(target_version="0.1"), r"built for onnxruntime 0\.1, not \d"),
    "of another model": (forge(model_sha256="0" * 64), r"built for model 000000000000, not \w{12}"),
    "of another output": (forge(output="enhanced_x8"), "built for output enhanced_x8, not none"),
    "for another processor": (forge(processor="Some CPU 1f2e3d4c"), "built for processor Some CPU 1f2e3d4c, not "),
    "made in another way": (forge(recipe=1), "built for recipe 1, not 2"),
}


@pytest.mark.parametrize(("damage", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_one_sentence_and_the_model_is_computed(bench: Bench, last_wins: None, damage, words: str):
    damage(bench.add())
    assert bench.runtime().endswith("CPUExecutionProvider float32")
    (sentence,) = bench.said
    assert sentence.startswith("an engine of tiny is not used: ")
    again = rf"run `trt-build build {bench.model.with_suffix('.onnx')} --target onnxruntime --precision int8"
    profile = "" if words == "is not an engine manifest" else r" --sizes 16\.\.96 --batch 1,8,64"
    assert re.search(rf"{again}{profile} --out {bench.folder}`$", sentence), sentence
    with pytest.raises(
        ModelError, match=rf"tiny needs an engine for onnxruntime in int8 \(.*{words}.*trt-build build \S*tiny.onnx"
    ):
        bench.runtime("onnxruntime", "int8")


def test_what_an_engine_says_may_look_like_a_command(bench: Bench, last_wins: None):
    """Messages were taken apart as text: what followed such words was lost, and every colon of a note."""
    bench.folder = bench.folder.with_name("engines: run `nothing`, please")
    (path := bench.add()).write_bytes(path.read_bytes()[:100])
    with pytest.raises(
        ModelError, match=rf"int8 \(the engine {re.escape(str(path))} is cut off after 100 of .*\): run `trt-build"
    ):
        bench.runtime("onnxruntime", "int8")
    bench.add(parity=msgspec.structs.replace(PASSED, faces=7, note="7 faces: not a full gate"))
    assert "gate passed on 7 faces, not a full gate: psnr lost db" in bench.runtime("onnxruntime", "int8")


def test_one_that_this_user_may_not_read_is_said(bench: Bench, last_wins: None, monkeypatch: pytest.MonkeyPatch):
    """One that another user had built used to end the run."""
    path = bench.add()

    def refused(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(engine_manifest, "sha256_of", refused)
    assert bench.runtime().endswith("CPUExecutionProvider float32")
    why = f"this user cannot read the engine {path} (Permission denied): run `trt-build build "
    assert bench.said[0].startswith(f"an engine of tiny is not used: {why}")


def test_one_that_cannot_be_opened_is_said(bench: Bench):
    need("ncnn")
    bench.add("ncnn", "fp32")  # it is an ONNX file
    assert bench.runtime().startswith("onnxruntime")
    assert bench.said[0].startswith("ncnn float32 is not used: tiny cannot be loaded by ncnn: it is damaged")
    assert ": run `trt-build build " in bench.said[0]
    assert bench.said[0].endswith(f" --target ncnn --precision fp32 --sizes 16..96 --batch 1,8,64 --out {bench.folder}`")
    assert "it is damaged, or not what `trt-build build --target ncnn` writes" in bench.said[0]
    assert len({bench.runtime() for _ in range(2)}) == 1
    assert len(bench.said) == 3, "what was measured before says it again"


@pytest.mark.parametrize(
    ("runtime", "precision", "words"),
    [
        ("ncnn", "auto", r"for ncnn \(there is none in .*engines\): run `trt-build build .*tiny.onnx --target ncnn --out"),
        ("auto", "int8", r"for int8 \(there is none .*run `trt-build build .* --target onnxruntime --precision int8 --out"),
        ("openvino", "int8", r"openvino in int8 \(there is none .*--target openvino --precision int8 --out"),
        ("auto", "float16", r"for float16 \(there is none .*--target onnxruntime --precision fp16 --out"),
        ("tensorrt-rtx", "auto", "runtime: tensorrt-rtx is computed on a GPU: set super_resolve.device to cuda:0"),
        ("onnxruntime", "bfloat16", "onnxruntime does not compute in bfloat16: use float32, float16, int8"),
        ("openvino", "float16", "openvino does not compute in float16: use float32, bfloat16, int8"),
        ("ncnn", "int8", "ncnn does not compute in int8: use float32"),
        ("ncnn", "float8", "ncnn does not compute in float8: use float32"),
        ("auto", "float8", r"super_resolve\.precision: float8 is computed on a GPU: set super_resolve\.device to cuda:0"),
        ("aotinductor", "auto", r"for aotinductor \(there is none .*--target aotinductor --compute-capability cpu --out"),
        ("aotinductor", "int8", "aotinductor does not compute in int8: use float32, float16, bfloat16"),
    ],
)
def test_what_is_asked_for_and_not_there_is_refused(bench: Bench, runtime: str, precision: str, words: str):
    with pytest.raises(FacestreamError, match=words):
        bench.runtime(runtime, precision)


def test_whoever_asks_for_what_failed_the_gate_is_told_why(bench: Bench):
    bench.add(parity=FAILED)
    with pytest.raises(ModelError, match=r"\(tiny-onnxruntime-int8\.onnx: gate failed: psnr lost db 0\.31 for at most 0\.1\)"):
        bench.runtime("onnxruntime", "int8")


def test_whoever_names_one_may_have_it_before_its_gate(bench: Bench):
    bench.add(parity=EngineParity(verdict="not run", reason="no GPU here"))
    assert bench.runtime("onnxruntime", "int8").endswith("int8 (gate not run: no GPU here)")


def test_the_configuration_says_where_engines_lie(
    bench: Bench, last_wins: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    bench.add()
    monkeypatch.setenv("FACESTREAM_MODELS", str(tmp_path))

    def runtime(**settings: str) -> str:
        generator = open_generator(SuperResolveConfig(generator=str(bench.model), **settings), lambda name: None)
        generator.close()
        return generator.runtime

    assert "int8" in runtime()
    assert "int8" in runtime(engines=str(bench.folder))
    assert "int8" not in runtime(engines="none")
    with pytest.raises(ConfigError, match=r"super_resolve\.engines: there is no folder nowhere: use auto, none, or"):
        runtime(engines="nowhere")
    with pytest.raises(ConfigError, match=r"needs an engine for ncnn, and super_resolve\.engines is none"):
        runtime(engines="none", runtime="ncnn")
    monkeypatch.setenv(VARIABLE, "onnxruntime")
    assert "int8" not in runtime(), "whoever fixes the runtime wants no engine"


def test_whoever_fixes_the_runtime_and_asks_for_a_precision_gets_its_engine(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    """It used to be said that super_resolve.engines was none."""
    monkeypatch.setenv(VARIABLE, "onnxruntime")
    with pytest.raises(ModelError, match=r"for onnxruntime in int8 \(there is none in .*engines\): run"):
        bench.runtime(precision="int8")
    bench.add()
    assert "int8 (gate passed" in bench.runtime(precision="int8")
    monkeypatch.setenv(VARIABLE, "openvino")
    with pytest.raises(ConfigError, match="openvino does not compute in float16"):
        bench.runtime(precision="float16")


def test_auto_in_the_environment_is_auto(bench: Bench, last_wins: None, monkeypatch: pytest.MonkeyPatch):
    """It used to mean that no engine was taken, and nothing measured."""
    monkeypatch.setenv(VARIABLE, "auto")
    bench.add()
    assert "5.0 times onnxruntime" in bench.runtime()


def test_where_nothing_can_be_remembered_it_is_said_that_no_engine_is_used(bench: Bench, tmp_path: Path):
    (tmp_path / "cache").touch()
    assert bench.runtime().endswith("CPUExecutionProvider float32")
    assert bench.said == []
    bench.add()
    assert bench.runtime().endswith("CPUExecutionProvider float32")
    (sentence,) = bench.said
    assert f"onnxruntime is used, as it cannot be remembered in {tmp_path / 'cache'} what is fastest" in sentence
