"""`trt-build build` and `trt-build check`: one table or JSON on the output, one sentence for what is wrong."""

import json

import pytest

from tests.trt_build.engines.networks import write_generator
from trt_build import cli
from trt_build.engines import build as building
from trt_build.engines import gpus
from trt_build.engines.parity import LIMITS, verdict_of


@pytest.fixture(autouse=True)
def gate(monkeypatch):
    """What the gate says; a test may change it."""
    figures = {"psnr_lost_db": 0.01, "cosine_moved": 0.0}
    monkeypatch.setattr(
        building, "compare", lambda model, compared, done: verdict_of(figures, LIMITS["generator"], 200, "made up")
    )
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    return figures


def run(capsys, *arguments):
    code = cli.main([str(argument) for argument in arguments])
    found = capsys.readouterr()
    return code, found.out, " ".join(found.err.split())


def test_json_is_all_that_is_printed(capsys, tmp_path):
    model = write_generator(tmp_path)
    code, out, _ = run(capsys, "build", model, "--target", "onnxruntime", "--out", tmp_path / "e", "--json")
    assert code == 0
    (engine,) = json.loads(out)
    assert engine["state"] == "built"
    assert engine["manifest"]["parity"]["verdict"] == "passed"
    assert engine["path"] == str(tmp_path / "e" / "tiny-onnxruntime-fp32.onnx")
    code, out, _ = run(capsys, "check", model, "--out", tmp_path / "e", "--json")
    assert code == 0
    assert [one["state"] for one in json.loads(out)] == ["whole"]


def test_in_a_log_there_is_a_line_for_what_is_begun(capsys, tmp_path):
    """A build that was not watched said nothing before it ended, which can take a quarter of an hour."""
    model, options = write_generator(tmp_path), ("--out", tmp_path / "e")
    file = "tiny-onnxruntime-fp32.onnx"
    assert run(capsys, "build", model, "--target", "onnxruntime", *options)[2] == f"building {file}"
    assert run(capsys, "check", model, *options)[2] == f"checking {file}"


def test_what_fails_the_gate_is_said_and_check_returns_1(capsys, tmp_path, gate):
    gate["psnr_lost_db"] = 0.4
    model = write_generator(tmp_path)
    code, out, _ = run(capsys, "build", model, "--target", "onnxruntime", "--precision", "fp16", "--out", tmp_path / "e")
    assert code == 0
    assert "failed" in out
    assert "psnr lost db 0.4 for at most 0.1" in out
    assert "`auto` does not take it: build --precision fp32" in " ".join(out.split())
    code, _, err = run(capsys, "check", model, "--out", tmp_path / "e")
    assert code == 1
    assert "1 of 1 engines" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nobody"], 2, "there is no model 'nobody': give a name that `facestream models list` shows"),
        (["srcnn_x2", "--target", "ncnn", "--precision", "int8"], 2, "--precision int8: ncnn computes in fp32"),
        (["srcnn_x2", "--target", "openvino", "--sizes", "9-3"], 2, "--sizes 9-3"),
        (["srcnn_x2", "--target", "everything"], 2, "everything"),
        (["srcnn_x2", "--compute-capability", "9.0"], 2, "not for 9.0 and 10.0 (H100, H200, B200)"),
        (
            ["srcnn_x2", "--target", "openvino", "--compute-capability", "8.9"],
            2,
            "engines of openvino are for CPUs: leave it out",
        ),
        (["srcnn_x2", "--target", "openvino", "--calibration", "x"], 2, "--calibration x: fp32 needs none"),
        (["srcnn_x2", "--precision", "fp8", "--compute-capability", "8.6"], 2, "8.6 have no 8-bit floating point"),
        (["srcnn_x2", "--precision", "fp8", "--target", "aotinductor"], 2, "aotinductor computes in fp32, fp16, bf16"),
        (["grey", "--target", "openvino", "--faces", "x"], 2, "--faces x: for grey pictures with faces are taken"),
        (["srcnn_x2", "--target", "onnxruntime", "--no-build"], 2, "is not built yet: run `trt-build build srcnn_x2 --target"),
    ],
)
def test_wrong_use_is_one_sentence(capsys, tmp_path, arguments, code, words):
    found, _, err = run(capsys, "build", *arguments, "--out", tmp_path)
    assert found == code
    assert words in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["build --target onnxruntime --precision int8", "tune", "check"])
def test_faces_that_are_not_there_are_missed_before_anything_is_built(capsys, tmp_path, monkeypatch, command):
    """The engine was built first, which can take minutes, and then lost."""
    monkeypatch.setattr(building, "make", lambda order: pytest.fail("it was built"))
    for option in ("--faces", "--calibration")[: 1 if command == "check" else 2]:
        code, _, err = run(
            capsys, *command.split(), write_generator(tmp_path), option, tmp_path / "gone", "--out", tmp_path / "e"
        )
        assert (code, err) == (1, f"error: {option} {tmp_path / 'gone'}: there is no such file or folder.")


def test_nothing_to_check(capsys, tmp_path):
    code, _, err = run(capsys, "check", "srcnn_x2", "--out", tmp_path)
    assert code == 2
    assert f"there is no engine of srcnn_x2 in {tmp_path}: run `trt-build build srcnn_x2 --out {tmp_path}` or" in err
    assert f"for this CPU, `trt-build tune srcnn_x2 --out {tmp_path}`" in err


def test_of_several_models_the_others_are_built(capsys, tmp_path, monkeypatch):
    from trt_build.engines import targets
    from trt_build.errors import ExportError

    models = [write_generator(tmp_path, name) for name in ("one", "two")]
    make = building.make

    def failing(order):
        if order.manifest.name == "one":
            raise ExportError("one cannot be built.")
        return make(order)

    assert targets.make is make
    monkeypatch.setattr(building, "make", failing)
    code, out, err = run(capsys, "build", *models, "--target", "onnxruntime", "--out", tmp_path / "e", "--json")
    assert code == 1
    assert [(one["state"], one["trouble"]) for one in json.loads(out)] == [("failed", "one cannot be built."), ("built", "")]
    assert "1 of 2 engines could not be built" in err


@pytest.mark.parametrize("command", ["build", "check"])
def test_help_shows_examples(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert f"trt-build {command} compact_fine_x4" in out
    assert "--no-json" not in out
    assert "--no-no" not in out


def test_ctrl_c_is_130_and_says_what_stays(capsys, monkeypatch, tmp_path):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "make", interrupted)
    code, _, err = run(capsys, "build", write_generator(tmp_path), "--target", "onnxruntime", "--out", tmp_path / "e")
    assert code == 130
    assert "Stopped. Engines that were finished stay, nothing else is left." in err
    assert [path.name for path in (tmp_path / "e").iterdir() if not path.name.endswith(".lock")] == []


def test_check_names_an_engine_that_is_gone(capsys, tmp_path):
    model = write_generator(tmp_path)
    run(capsys, "build", model, "--target", "onnxruntime", "--out", tmp_path / "e")
    (tmp_path / "e" / "tiny-onnxruntime-fp32.onnx").unlink()
    code, out, _ = run(capsys, "check", model, "--out", tmp_path / "e", "--json")
    (engine,) = json.loads(out)
    assert (code, engine["state"]) == (1, "unusable")
    command = (
        f"trt-build build {model} --target onnxruntime --precision fp32 --sizes 8..160 --batch 1,8,64 --out {tmp_path / 'e'}"
    )
    assert engine["trouble"].endswith(
        f"tiny-onnxruntime-fp32.onnx.json describes an engine which is not beside it: run `{command}`"
    ), "as a run says it"


def test_an_engine_that_was_not_compared_says_what_compares_it(capsys, monkeypatch, tmp_path):
    """A newcomer saw `not run`, and no more."""
    pytest.importorskip("tensorrt_rtx", reason="needs the extra trt-rtx")
    monkeypatch.setattr(building, "capability_here", lambda: "")
    models = [write_generator(tmp_path, name) for name in ("one", "two")]
    options = ("--compute-capability", "7.5,8.9", "--out", tmp_path / "e")
    for command in (("build", *models, *options), ("check", *models, "--out", tmp_path / "e")):
        code, out, _ = run(capsys, *command)
        assert code == 0
        for capability in ("7.5", "8.9"):
            reason = f"tensorrt-rtx engines run on a GPU: this one is for {capability}, and here is none"
            assert out.count(f"gate not run: {reason}\n") == 1
        assert out.count("`trt-build check one two` compares them on a machine that has what is missing here") == 1


def test_without_a_gpu_the_default_says_what_to_run(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(gpus.shutil, "which", lambda name: None)
    code, _, err = run(capsys, "build", "srcnn_x2", "--out", tmp_path)
    assert code == 1
    assert "say for which, as --compute-capability 7.5,8.0,8.6,8.9,12.0,12.1; for this CPU, run `trt-build tune`" in err
    code, _, err = run(capsys, "build", "srcnn_x2", "--target", "aotinductor", "--out", tmp_path)
    assert code == 1
    assert "build on the machine with the GPU; for this CPU, give --compute-capability cpu" in err
